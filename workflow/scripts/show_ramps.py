"""Tabulate and draw how far potentials get in ramps, and whether novelty warns before they fail."""

from pathlib import Path

from diverse.dynamics.survival import survival_table
from diverse.errors.runs import read_runs, with_origin
from diverse.report.pages.ramps import ramps_page
from diverse.report.plotting.ramps import ramp_panels
from diverse.study.job import begin, finish

begin(snakemake)
params, files = snakemake.params, snakemake.input
rows = read_runs(files.rows, ["ramp", "reached", "crossed"], params.pairs)
table = with_origin(survival_table(rows), params.pairs, files.commands, params.origin)
table.to_csv(snakemake.output.table, index=False, float_format="%.6g")
Path(snakemake.output.page).write_text(ramps_page(table))
ramp_panels(rows, params.families).savefig(snakemake.output.figure)
finish(snakemake)
