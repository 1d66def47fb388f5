"""Draw one cell of each group of the curated data sets."""

from diverse.report.plotting import gallery
from diverse.structures import iterate_cells
from diverse.study.job import begin, finish

begin(snakemake)
gallery(iterate_cells(snakemake.input.cells)).savefig(snakemake.output.figure)
finish(snakemake)
