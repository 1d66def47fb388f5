"""Label one chunk through its ledger."""

import sys
from pathlib import Path

from diverse.labellers import make_labeller
from diverse.ledger import Ledger, label_key
from diverse.structures import read_cells, write_cells

labeller = make_labeller(snakemake.params.labeller)
released = (
    sorted(Path(snakemake.params.released).glob("*.xyz.xz")) if snakemake.params.released else []
)
ledger = Ledger(Path(snakemake.params.ledger), released)
structures = read_cells(snakemake.input.cells)
labelled = []
with open(snakemake.log[0], "w") as log:
    for number, cell in enumerate(structures, start=1):
        row = ledger.find(label_key(cell, labeller.protocol))
        source = "found"
        if row is None:
            calculator_log = Path(snakemake.log[0]).with_suffix(f".{number}.txt")
            row = ledger.compute(cell, labeller, calculator_log)
            source = f"{row.info['seconds']:.1f} s"
        status = row.info.get("cause", "converged")
        print(
            f"{number}/{len(structures)} {len(cell)} atoms, {source}: {status}",
            file=log,
            flush=True,
        )
        print(
            f"{snakemake.wildcards.dataset} {number}/{len(structures)}: {status}", file=sys.stderr
        )
        row = row.copy() if row.calc is None else row
        row.info.update(cell.info)
        labelled.append(row)
write_cells(snakemake.output.cells, labelled)
