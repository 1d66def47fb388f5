"""List the cells that got no label, with the cause."""

from pathlib import Path

from diverse.ledger.query import failures
from diverse.structures import iterate_cells

failures(iterate_cells(map(Path, snakemake.input.cells))).to_csv(
    snakemake.output.table, index=False
)
