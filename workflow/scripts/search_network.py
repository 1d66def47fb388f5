"""Choose the loss weights of a network by what short trainings predict on parts left out."""

from dataclasses import replace

import torch

from diverse.kernel import BispectrumSettings
from diverse.models.search import search_weights
from diverse.models.training import TrainingSettings
from diverse.models.training.search import LeftOutParts
from diverse.structures import iterate_cells, random_stream
from diverse.zbl import ZBL

study, model, names = snakemake.params.study, snakemake.params.model, snakemake.wildcards
options, memory = study["search"], snakemake.resources.mem_mb * 500_000
torch.set_num_threads(snakemake.threads)
descriptor = BispectrumSettings(model["twojmax"], study["cutoff"])
parts = LeftOutParts(
    lambda: iterate_cells([snakemake.input.cells]),
    descriptor,
    ZBL(study["element"], **study["zbl"]),
    n_folds=options["folds"],
)
stream = random_stream(study["seed"], f"{names.train} {names.model} search", 0)
seed, n_descriptors = int(stream.integers(2**31)), descriptor.n_components


def left_out_errors(candidate):
    settings = TrainingSettings.of(candidate, n_descriptors=n_descriptors, jacobian_memory=memory)
    epochs = max(1, round(options["epochs"] * settings.epochs))
    return parts.errors(replace(settings, epochs=epochs), seed), {"epochs": epochs}


search_weights(model, options, left_out_errors).to_csv(snakemake.output.search, index=False)
