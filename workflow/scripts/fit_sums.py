"""Fit the potential of a model that is exported to the sums of the blocks of the first draw."""

from pathlib import Path

import pandas as pd
from threadpoolctl import threadpool_limits

from diverse.datasets.blocks import blocks_of
from diverse.datasets.draws import WHOLE, read_draws
from diverse.models.agreement import NOT_COMPARED
from diverse.models.polynomial.forms import form_of
from diverse.models.polynomial.settings import FitSettings
from diverse.models.polynomial.sums import fit_sums, read_sums
from diverse.models.search import with_searched_weights
from diverse.models.trained import save_trained
from diverse.study.job import begin, finish

begin(snakemake)
study, files, output = snakemake.params.study, snakemake.input, snakemake.output
settings = FitSettings.of(with_searched_weights(snakemake.params.model, files.search or None))
summed = form_of(snakemake.params.summed)
blocks = blocks_of(read_draws(files.draws), 0, WHOLE)
with threadpool_limits(snakemake.threads):
    basis, parts = read_sums(files.basis, files.sums, settings.form, blocks, summed=summed)
    potential, uncertainty, fit = fit_sums(list(parts.values()), basis, settings)
potential.write(Path(output.parameters[0]).parent, study["element"], study["cutoff"])
save_trained(potential, output.trained)
uncertainty.save(output.covariance)
fit.path.to_csv(output.path, index=False)
summary = {"solver": "blocks", "ridge": fit.ridge, **fit.summary, **NOT_COMPARED}
pd.DataFrame([summary]).to_csv(output.summary, index=False)
finish(snakemake)
