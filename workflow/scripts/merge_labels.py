"""Join the labels of a data set in one file."""

from pathlib import Path

from diverse.labels.ledger import merge

merge(map(Path, snakemake.input.cells), Path(snakemake.output.labels))
