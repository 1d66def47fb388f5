"""From a study's settings to the cells of one chunk."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from ase import Atoms

from diverse.descriptors.environments import environment_descriptors
from diverse.descriptors.statistics import SetStatistics
from diverse.descriptors.whitening import Whitening
from diverse.generate.expert import expert_cells
from diverse.generate.expert.context import Context
from diverse.generate.optimiser import OptimiserSettings
from diverse.generate.random_cells import check_packing
from diverse.generate.sampling import EntropySettings, Generator, Sample, generate_cells
from diverse.kernel.device import Device
from diverse.structures import random_stream, tagged
from diverse.study.settings import descriptor_settings, reference_lattice, sampler_settings

Config = dict[str, Any]

REFERENCE_CELLS = 100  # random cells the whitening is fitted on, at least
REFERENCE_ENVIRONMENTS = 20  # of the reference sample for each component, at least
BATCHES_PER_CHUNK = 8  # at least, so that the set entropy sees what its own chunk holds


def fit_whitening(study: Config) -> Whitening:
    """Fit the whitening on random cells of the study's sampler, from a stream of their own."""
    descriptor = descriptor_settings(study)
    nothing = Whitening.none(descriptor.n_components)
    mean_size = sum(study["sampler"]["atoms"]) / 2
    enough = int(REFERENCE_ENVIRONMENTS * descriptor.n_components / mean_size)
    sample = generate_cells(
        max(REFERENCE_CELLS, enough),
        generator=make_generator(study, {"family": "random"}, nothing),
        earlier=SetStatistics.empty(descriptor.n_components),
        rng=random_stream(study["seed"], "whitening", 0),
    )
    return Whitening.of(environment_descriptors(sample.cells, descriptor))


def sampled_chunk(
    study: Config,
    *,
    name: str,
    dataset: Config,
    chunk: int,
    whitening: Whitening,
    earlier: SetStatistics | None = None,
    threads: int = 1,
    device: Device | None = None,
) -> Sample:
    """Make chunk number `chunk` of the entropy or random data set called `name`.

    Parameters
    ----------
    earlier : SetStatistics, optional
        Statistics of the whitened descriptors, D of them, of all environments of earlier rounds
        and of the set that is complemented; by default there is none.
    threads : int
        They change no number.
    device : Device, optional
        Card that cells move on; by default the CPU.
    """
    generator = make_generator(study, dataset, whitening, threads=threads)
    n_cells = chunk_size(dataset["cells"], dataset["chunks"], chunk)
    batch = min(generator.batch, -(-n_cells // BATCHES_PER_CHUNK))
    sample = generate_cells(
        n_cells,
        generator=replace(generator, batch=batch, device=device),
        earlier=earlier or SetStatistics.empty(generator.descriptor.n_components),
        rng=random_stream(study["seed"], name, chunk),
    )
    cells = [
        _named(tagged(cell, dataset["family"], f"{name}_{chunk}_{index}"), name)
        for index, cell in enumerate(sample.cells)
    ]
    return replace(sample, cells=cells)


def expert_cells_of(study: Config, name: str, dataset: Config) -> list[Atoms]:
    """Return the cells of the expert data set called `name`; every n-th is of one of n chunks."""
    floor = sampler_settings(study).d_min
    context = Context(reference_lattice(study), floor, study["seed"], name)
    cells = expert_cells(context, dataset["groups"], descriptor_settings(study))
    return [_named(cell, name) for cell in cells]


def chunk_size(cells: int, chunks: int, chunk: int) -> int:
    """Number of cells in a chunk when `cells` are dealt out evenly."""
    return cells // chunks + (chunk < cells % chunks)


def cell_statistics(
    cells: Sequence[Atoms], *, study: Config, whitening: Whitening
) -> SetStatistics:
    """Return the statistics of existing cells, in the space the study raises entropy in.

    Raises
    ------
    ValueError
        If a cell holds another element than the study's.
    """
    descriptor = descriptor_settings(study)
    if not cells:
        return SetStatistics.empty(descriptor.n_components)
    others = {symbol for cell in cells for symbol in cell.symbols} - {study["element"]}
    if others:
        raise ValueError(
            f"the set to complement holds {', '.join(sorted(others))}; a study of "
            f"{study['element']} can complement cells of {study['element']} only"
        )
    return SetStatistics.of(whitening(environment_descriptors(cells, descriptor)))


def make_generator(
    study: Config, dataset: Config, whitening: Whitening, *, threads: int = 1
) -> Generator:
    """Return the generator of a data set of a study.

    Raises
    ------
    ValueError
        If no cell could satisfy the study's floor.
    """
    options = study["optimiser"]
    lattice = reference_lattice(study)
    sampler = sampler_settings(study, dataset)
    check_packing(sampler, lattice)
    return Generator(
        lattice=lattice,
        sampler=sampler,
        optimiser=OptimiserSettings(
            options["steps"], options["step_size"], options["relax_cell"], threads
        ),
        entropy=EntropySettings(
            dataset.get("estimator"), options["entropy_weight"], options["precision"]
        ),
        descriptor=descriptor_settings(study),
        whitening=whitening,
        batch=options["batch"],
    )


def _named(cell: Atoms, dataset: str) -> Atoms:
    cell.info["dataset"] = dataset
    return cell
