"""Tabulate and draw how the deviation of the energy rises with the time step."""

from pathlib import Path

import pandas as pd

from diverse.dynamics.slopes import slopes_table
from diverse.errors.draws import read_table
from diverse.models.export import digest
from diverse.report.pages.dynamics import dynamics_page
from diverse.report.plotting.dynamics import conservation_panels
from diverse.study.job import begin, finish

begin(snakemake)
params, files = snakemake.params, snakemake.input
rows = pd.concat(read_table(path, ["train", "model", "timestep"]) for path in files.rows)
pairs = list(map(tuple, params.pairs))
rows = rows[[pair in pairs for pair in zip(rows["train"], rows["model"], strict=True)]]
table = slopes_table(rows, params.fitted)
own = {pair: digest(Path(path).parent) for pair, path in zip(pairs, files.commands, strict=True)}
known = zip(table["train"], table["model"], table["potential"], strict=True)
table["same_potential"] = [own[train, model] == potential for train, model, potential in known]
table["origin"] = params.origin
table.to_csv(snakemake.output.table, index=False)
Path(snakemake.output.page).write_text(dynamics_page(table))
conservation_panels(rows, table, params.families).savefig(snakemake.output.figure)
finish(snakemake)
