"""Recompute a sample of one data set's labels from nothing, and check derivatives on one cell."""

from functools import partial
from pathlib import Path

from diverse.audit import audit, sample
from diverse.labellers import make_labeller
from diverse.labelling import Effort, label_cells
from diverse.ledger import Ledger
from diverse.structures import random_stream

settings, dataset = snakemake.params.audit, snakemake.wildcards.dataset
rows = Ledger(None, map(Path, snakemake.input.cells)).rows()
shipped = sample(rows, settings["cells"], random_stream(settings["seed"], dataset, 0))
ledger = Ledger(Path(snakemake.params.ledger))
with open(snakemake.log[0], "w", buffering=1) as log:
    compute = partial(
        label_cells,
        ledger=ledger,
        effort=Effort(workers=snakemake.threads, timeout=snakemake.params.timeout),
        log=Path(snakemake.log[0]),
        say=partial(print, file=log),
    )
    table = audit(shipped, make_labeller(snakemake.params.labeller), compute)
table.to_csv(snakemake.output.table, index=False)
ledger.path.unlink(missing_ok=True)  # the next audit is from nothing again
