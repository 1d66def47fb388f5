"""Train a network on the training sets of every draw, many at once, and measure its errors."""

from pathlib import Path

from diverse.datasets.draws import WHOLE, pooled, stacks, subset_sets
from diverse.errors.by_cell import LabelledSets, write_rows
from diverse.models.network.data import training_cells
from diverse.models.network.loop import train_networks
from diverse.models.network.settings import TrainingSettings
from diverse.models.search import with_searched_weights
from diverse.progress import Progress
from diverse.study.job import begin, finish
from diverse.study.settings import model_descriptor, repulsion, study_device

begin(snakemake)
files, params, name = snakemake.input, snakemake.params, snakemake.wildcards.model
study, subsets, zbl = params.study, params.subsets, repulsion(params.study)
tables = dict(zip(params.datasets, files.draws, strict=True))
searches = dict(zip(params.searched, files.searches, strict=True))
of_subsets = subset_sets(files.subsets, subsets) if subsets else None
sets = LabelledSets.read(files.labels, tables, cutoff=study["cutoff"], zbl=zbl, drawn=of_subsets)
descriptor, device = model_descriptor(study, params.model), study_device(study)
if of_subsets is not None:
    trainings = stacks(of_subsets, n_seeds=1)
else:  # further seeds on the first draw tell what chance in training does
    trainings = stacks(sets.drawn(snakemake.wildcards.train), params.seeds)
n_trainings = sum(map(len, trainings))
progress = Progress(n_trainings, f"{n_trainings} trainings")
rows = []
for stack in trainings:
    drawn_sets = [drawn for drawn, _ in stack]
    train, half = drawn_sets[0].train, drawn_sets[0].part != WHOLE
    model = with_searched_weights(params.model, searches.get(f"{train}/{name}"))
    settings = TrainingSettings.of(
        {**model, **params.overrides.get(train, {})},
        n_descriptors=descriptor.n_components,
        jacobian_memory=snakemake.resources.mem_mb * 500_000,
    )
    pool, members = pooled(drawn_sets)
    try:
        networks = train_networks(
            training_cells(sets.cells(pool), descriptor, zbl),
            members,
            settings,
            [drawn.seed(study["seed"], name, seed) for drawn, seed in stack],
            device=device,
            work=progress,
            checkpoint=Path(snakemake.output.errors).with_suffix(f".{train}{'h' * half}.npz"),
        )
    except ValueError as error:
        if not (half or subsets):
            raise
        with open(snakemake.log[0], "a") as log:
            print(f"{train}{' halves' * half} left out:", error, file=log)
        continue  # halves or a subset may be too small: the others go on
    for (drawn, seed), (network, _) in zip(stack, networks, strict=True):
        rows.append(sets.errors(network, drawn, name=name, seed=seed))
write_rows(snakemake.output.errors, rows)
finish(snakemake)
