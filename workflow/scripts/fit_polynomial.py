"""Fit linear or quadratic SNAP to energies and forces, on top of ZBL, in constant memory."""

from pathlib import Path

import pandas as pd
from threadpoolctl import threadpool_limits

from diverse.models.polynomial.fit import fit_streaming
from diverse.models.polynomial.settings import FitSettings
from diverse.models.search import with_searched_weights
from diverse.models.trained import save_trained
from diverse.structures import iterate_cells
from diverse.study.job import begin, finish
from diverse.study.settings import repulsion

begin(snakemake)
study = snakemake.params.study
model = with_searched_weights(snakemake.params.model, snakemake.input.search or None)
with threadpool_limits(snakemake.threads):
    potential, uncertainty, fit = fit_streaming(
        lambda: iterate_cells([snakemake.input.cells]),
        FitSettings.of(model),
        cutoff=study["cutoff"],
        zbl=repulsion(study),
    )
save_trained(potential, snakemake.output.trained)
potential.write(Path(snakemake.output.parameters[0]).parent, study["element"], study["cutoff"])
uncertainty.save(snakemake.output.covariance)
fit.path.to_csv(snakemake.output.path, index=False)
pd.DataFrame([{"ridge": fit.ridge, **fit.summary}]).to_csv(snakemake.output.summary, index=False)
finish(snakemake)
