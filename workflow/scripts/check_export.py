"""Run the exported potential in LAMMPS and compare it with the model, cell by cell."""

from pathlib import Path

import pandas as pd

from diverse.descriptors import DescriptorTable
from diverse.models import load_model
from diverse.models.export import check_export
from diverse.structures import read_cells
from diverse.zbl import ZBL

study = snakemake.params.study
folder = Path(snakemake.input.parameters[0]).parent
zbl = ZBL(study["element"], **study["zbl"])
differences = [
    check_export(load_model(folder), folder, read_cells(cells), DescriptorTable.load(table), zbl)
    for cells, table in zip(snakemake.input.cells, snakemake.input.tables, strict=True)
    if read_cells(cells)
]
pd.concat(differences).to_csv(snakemake.output.differences, index=False)
