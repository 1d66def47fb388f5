"""Choose the loss weights of a network by what short trainings predict on parts left out."""

from diverse.models.network.left_out import FoldedSet
from diverse.models.network.settings import TrainingSettings
from diverse.models.search import search_weights
from diverse.structures import iterate_cells, random_stream
from diverse.study.job import begin, finish
from diverse.study.settings import model_descriptor, repulsion, study_device

begin(snakemake)
study, model, names = snakemake.params.study, snakemake.params.model, snakemake.wildcards
options, memory = study["search"], snakemake.resources.mem_mb * 500_000
descriptor = model_descriptor(study, model)
folded = FoldedSet(
    lambda: iterate_cells([snakemake.input.cells]),
    descriptor,
    repulsion(study),
    n_folds=options["folds"],
    device=study_device(study),
)
stream = random_stream(study["seed"], f"{names.train} {names.model} search", 0)
seed, n_descriptors = int(stream.integers(2**31)), descriptor.n_components


def left_out_errors(candidate):
    settings = TrainingSettings.of(candidate, n_descriptors=n_descriptors, jacobian_memory=memory)
    settings = settings.shortened(options["epochs"])
    length = {"steps": settings.steps} if settings.steps else {"epochs": settings.epochs}
    return folded.left_out_errors(settings, seed), length


search_weights(model, options, left_out_errors).to_csv(snakemake.output.search, index=False)
finish(snakemake)
