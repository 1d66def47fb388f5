"""Compare every variant of the labels with its reference."""

from pathlib import Path

from diverse.labels.convergence import compare
from diverse.labels.ledger import Ledger, merge
from diverse.study.job import begin, finish

begin(snakemake)
files = dict(zip(snakemake.params.variants, map(Path, snakemake.input.cells), strict=True))
merge(files.values(), Path(snakemake.output.labels))
labels = {
    name: [row for row in Ledger(None, [file]).rows() if row.calc is not None]
    for name, file in files.items()
}
compare(labels, snakemake.params.against).round(4).to_csv(snakemake.output.table, index=False)
finish(snakemake)
