"""Fit linear or quadratic SNAP with FitSNAP to energies and forces, on top of ZBL."""

from contextlib import redirect_stdout
from pathlib import Path

from diverse.models.fitsnap import fit_with_fitsnap
from diverse.models.trained import save_trained
from diverse.structures import read_cells
from diverse.study.job import begin, finish
from diverse.study.settings import repulsion

begin(snakemake)
study, model = snakemake.params.study, snakemake.params.model
with open(snakemake.log[0], "w") as log, redirect_stdout(log):
    potential = fit_with_fitsnap(
        read_cells(snakemake.input.cells),
        Path(snakemake.output.parameters[0]).with_suffix(""),
        twojmax=model["twojmax"],
        quadratic=model["family"] == "quadratic",
        cutoff=study["cutoff"],
        zbl=repulsion(study),
        weights=lambda cell: (model["energy_weight"], model["force_weight"]),
        ridge=model["ridge"],
    )
save_trained(potential, snakemake.output.trained)
finish(snakemake)
