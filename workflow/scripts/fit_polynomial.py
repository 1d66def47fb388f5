"""Fit SNAP, POD or ACE to energies and forces, on top of ZBL; with FitSNAP beside it."""

from contextlib import redirect_stdout
from pathlib import Path

import pandas as pd
from threadpoolctl import threadpool_limits

from diverse.models.agreement import NOT_COMPARED, fit_beside
from diverse.models.polynomial.fit import fit_streaming
from diverse.models.polynomial.settings import FitSettings
from diverse.models.search import with_searched_weights
from diverse.models.trained import save_trained
from diverse.structures import iterate_cells, read_cells
from diverse.study.job import begin, finish
from diverse.study.settings import repulsion, study_device

begin(snakemake)
study, cells, output = snakemake.params.study, snakemake.input.cells, snakemake.output
model = with_searched_weights(snakemake.params.model, snakemake.input.search or None)
solver = model.get("solver", "streaming")  # the only one of POD and ACE
settings, folder = FitSettings.of(model), Path(output.parameters[0]).parent
options = {"cutoff": study["cutoff"], "zbl": repulsion(study)}
with threadpool_limits(snakemake.threads), open(snakemake.log[0], "a") as log, redirect_stdout(log):
    potential, uncertainty, fit = fit_streaming(
        lambda: iterate_cells([cells]), settings, **options, device=study_device(study)
    )
    potential.write(folder, study["element"], study["cutoff"])
    differences = NOT_COMPARED
    if solver == "fitsnap":
        potential, differences = fit_beside(
            potential, fit.ridge, read_cells(cells), settings, folder / "potential", **options
        )
save_trained(potential, output.trained)
uncertainty.save(output.covariance)
fit.path.to_csv(output.path, index=False)
summary = {"solver": solver, "ridge": fit.ridge, **fit.summary, **differences}
pd.DataFrame([summary]).to_csv(output.summary, index=False)
finish(snakemake)
