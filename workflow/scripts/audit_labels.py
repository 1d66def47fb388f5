"""Recompute a sample of one data set's labels from nothing, and check derivatives."""

import sys
from functools import partial
from pathlib import Path

from diverse.labels.audit import audit, cheapest, expected_cost, sample
from diverse.labels.chunk import label_cells
from diverse.labels.labellers import make_labeller
from diverse.labels.ledger import Ledger
from diverse.labels.pool import Effort
from diverse.structures import random_stream
from diverse.study.job import begin, finish

begin(snakemake)
settings, dataset = snakemake.params.audit, snakemake.wildcards.dataset
rows = Ledger(None, map(Path, snakemake.input.cells)).rows()
again = sample(rows, settings["cells"], random_stream(settings["seed"], dataset, 0))
derived = cheapest(rows, settings["derivatives"])
number, seconds = expected_cost(again, derived)
plan = f"{dataset}: {number} calculations, at least {seconds / 60:.1f} core minutes by their labels"
print(plan, file=sys.stderr)
ledger = Ledger(Path(snakemake.params.ledger))
with open(snakemake.log[0], "a", buffering=1) as log:
    print(plan, file=log)
    compute = partial(
        label_cells,
        ledger=ledger,
        effort=Effort(workers=snakemake.threads, timeout=snakemake.params.timeout),
        log=Path(snakemake.log[0]),
        say=partial(print, file=log),
    )
    table = audit(again, derived, make_labeller(snakemake.params.labeller), compute)
table.to_csv(snakemake.output.table, index=False)
ledger.path.unlink(missing_ok=True)  # the next audit is from nothing again
finish(snakemake)
