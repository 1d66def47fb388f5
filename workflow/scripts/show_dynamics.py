"""Tabulate and draw how the deviation of the energy rises with the time step."""

from pathlib import Path

from diverse.dynamics.slopes import slopes_table
from diverse.errors.runs import read_runs, with_origin
from diverse.report.pages.dynamics import dynamics_page
from diverse.report.plotting.dynamics import conservation_panels
from diverse.study.job import begin, finish

begin(snakemake)
params, files = snakemake.params, snakemake.input
rows = read_runs(files.rows, ["timestep"], params.pairs)
table = slopes_table(rows, params.fitted)
table = with_origin(table, params.pairs, files.commands, params.origin)
table.to_csv(snakemake.output.table, index=False)
Path(snakemake.output.page).write_text(dynamics_page(table))
conservation_panels(rows, table, params.families).savefig(snakemake.output.figure)
finish(snakemake)
