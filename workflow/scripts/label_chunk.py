"""Label one chunk through its ledger."""

import sys
from pathlib import Path

from diverse.labels.chunk import label_cells, replaced, unlabelled
from diverse.labels.chunk_log import end_line, start_line
from diverse.labels.labellers import make_labeller
from diverse.labels.ledger import Ledger, write_rows
from diverse.labels.pool import Effort
from diverse.structures import read_cells
from diverse.study.job import begin, finish
from diverse.study.requests import request_line, time_left

begin(snakemake)
log = Path(snakemake.log[0])
released = snakemake.params.released
others = sorted(Path(released).glob("*/*.xyz.xz")) if released else []
own = Path(snakemake.params.ledger)
dataset = snakemake.config["datasets"].get(snakemake.wildcards.get("dataset"))
# Cells of recipes are dealt to chunks: a set that grows, or gets more chunks, moves them.
dealt = dataset is not None and dataset["family"] == "expert"
largest = snakemake.params.get("largest", float("inf"))
cells = [cell for cell in read_cells(snakemake.input.cells) if len(cell) <= largest]
if snakemake.params.get("labelled"):  # a reference model is asked for what labels are there of
    cells = unlabelled(cells)
effort = Effort(
    workers=max(1, snakemake.threads // snakemake.resources.cores_per_cell),
    cores_per_cell=snakemake.resources.cores_per_cell,
    timeout=snakemake.params.timeout,
    time_limit=snakemake.resources.time_limit or time_left(),
    launcher=snakemake.resources.launcher,
)

log.write_text("")  # then appended to: lines about the progress come from elsewhere
with log.open("a") as file:

    def say(line: str) -> None:
        print(line, file=file, flush=True)

    say(start_line(snakemake.threads, request_line(snakemake.resources)))
    ledger = Ledger(own, others, beside=sorted(own.parent.glob("*.xyz")) if dealt else [])
    labeller = make_labeller(snakemake.params.labeller)
    for notice in ledger.notices + ([] if dealt else replaced(cells, labeller, ledger)):
        say(notice)
        print(f"{'/'.join(snakemake.wildcards)}: {notice}", file=sys.stderr)
    labelled = label_cells(
        cells,
        labeller,
        ledger,
        effort=effort,
        log=log,
        say=say,
        retry=snakemake.params.retry,
    )
    say(end_line())
write_rows(Path(snakemake.output.cells), labelled)
finish(snakemake)
