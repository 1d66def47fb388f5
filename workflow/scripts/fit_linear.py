"""Fit linear SNAP with FitSNAP to energies and forces, on top of ZBL."""

from contextlib import redirect_stdout
from pathlib import Path

from diverse.models.fitsnap import fit_linear
from diverse.structures import read_cells
from diverse.zbl import ZBL

study, model = snakemake.params.study, snakemake.params.model
with open(snakemake.log[0], "w") as log, redirect_stdout(log):
    fit_linear(
        read_cells(snakemake.input.cells),
        Path(snakemake.output.parameters[0]).with_suffix(""),
        twojmax=model["twojmax"],
        cutoff=study["cutoff"],
        zbl=ZBL(study["element"], **study["zbl"]),
        energy_weight=model["energy_weight"],
        force_weight=model["force_weight"],
        ridge=model["ridge"],
    )
