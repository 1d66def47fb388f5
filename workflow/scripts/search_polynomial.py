"""Choose the loss weights of SNAP or POD by what fits predict on folds left out."""

from threadpoolctl import threadpool_limits

from diverse.models.polynomial.forms import form_of
from diverse.models.polynomial.left_out import FoldedSet
from diverse.models.polynomial.settings import FitSettings
from diverse.models.search import search_weights
from diverse.structures import iterate_cells
from diverse.study.job import begin, finish
from diverse.study.settings import repulsion

begin(snakemake)
study, model = snakemake.params.study, snakemake.params.model


def left_out_errors(candidate):
    return folded.left_out_errors(FitSettings.of(candidate))


with threadpool_limits(snakemake.threads):
    folded = FoldedSet(
        lambda: iterate_cells([snakemake.input.cells]),
        form=form_of(model),
        n_folds=model["folds"],
        cutoff=study["cutoff"],
        zbl=repulsion(study),
    )
    table = search_weights(model, study["search"], left_out_errors)
table.to_csv(snakemake.output.search, index=False)
finish(snakemake)
