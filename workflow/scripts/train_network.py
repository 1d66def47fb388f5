"""Train one tanh network on energies and forces, on top of ZBL."""

from pathlib import Path

import numpy as np
import pandas as pd

from diverse.models.network.data import check_room, training_cells
from diverse.models.network.loop import train_networks
from diverse.models.network.settings import TrainingSettings
from diverse.models.search import with_searched_weights
from diverse.models.trained import save_trained
from diverse.structures import cell_sizes, iterate_cells, random_stream
from diverse.study.job import begin, finish
from diverse.study.settings import model_descriptor, repulsion, study_device

begin(snakemake)
study, names = snakemake.params.study, snakemake.wildcards
model = with_searched_weights(snakemake.params.model, snakemake.input.search or None)
folder = Path(snakemake.output.history).parent
descriptor = model_descriptor(study, model)
settings = TrainingSettings.of(
    model,
    n_descriptors=descriptor.n_components,
    jacobian_memory=snakemake.resources.mem_mb * 500_000,
)
stream = random_stream(study["seed"], f"{names.train} {names.model}", int(names.seed))
check_room(cell_sizes(snakemake.input.cells), descriptor)
cells = training_cells(iterate_cells([snakemake.input.cells]), descriptor, repulsion(study))
[(network, history)] = train_networks(
    cells,
    [np.arange(len(cells.energies))],
    settings,
    [int(stream.integers(2**31))],
    curves=True,
    checkpoint=folder / "checkpoint.npz",
    device=study_device(study),
)
save_trained(network, snakemake.output.trained)
network.write(folder, study["element"], study["cutoff"])
pd.DataFrame(history).to_csv(snakemake.output.history, index=False)
finish(snakemake)
