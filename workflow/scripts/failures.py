"""List the cells that got no label, with the cause."""

import pandas as pd

from diverse.structures import read_cells

columns = ["dataset", "config_type", "trajectory", "atoms", "d_min", "labeller", "cause", "key"]
rows = [
    {"atoms": len(cell), **{name: cell.info.get(name) for name in columns if name != "atoms"}}
    for cell in read_cells(snakemake.input.cells)
    if cell.info["status"] == "failed"
]
pd.DataFrame(rows, columns=columns).to_csv(snakemake.output.table, index=False)
