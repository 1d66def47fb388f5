"""Run the exported potential in LAMMPS and compare it with the model, cell by cell."""

from pathlib import Path

import pandas as pd

from diverse.models import load_model
from diverse.models.export import check_export, write_commands
from diverse.structures import read_cells
from diverse.zbl import ZBL

study = snakemake.params.study
folder = Path(snakemake.input.parameters[0]).parent
model, zbl = load_model(folder), ZBL(study["element"], **study["zbl"])
differences = [
    check_export(model, folder, cells, cutoff=study["cutoff"], zbl=zbl)
    for cells in map(read_cells, snakemake.input.cells)
    if cells
]
pd.concat(differences).to_csv(snakemake.output.differences, index=False)
write_commands(model, folder, zbl)
