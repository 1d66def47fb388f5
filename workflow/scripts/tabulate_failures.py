"""List the cells that got no label, with the cause."""

from pathlib import Path

from diverse.labels.ledger import Ledger
from diverse.labels.ledger.query import failures
from diverse.study.job import begin, finish

begin(snakemake)
rows = [row for file in snakemake.input.labels for row in Ledger(None, [Path(file)]).rows()]
failures(rows).to_csv(snakemake.output.table, index=False)
finish(snakemake)
