"""Join the labels of a data set in one file."""

from pathlib import Path

from diverse.labels.ledger import merge
from diverse.study.job import begin, finish

begin(snakemake)
merge(map(Path, snakemake.input.cells), Path(snakemake.output.labels))
finish(snakemake)
