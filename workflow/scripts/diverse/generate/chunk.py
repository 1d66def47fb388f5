"""From a study's settings to the cells of one chunk."""

from __future__ import annotations

from collections import Counter
from typing import Any

from ase import Atoms

from diverse.descriptors import environment_descriptors
from diverse.generate.entropy import Whitening
from diverse.generate.expert import expert_cells
from diverse.generate.optimiser import OptimiserSettings, generate_cells
from diverse.generate.random_cells import SamplerSettings
from diverse.kernel import BispectrumSettings
from diverse.structures import ReferenceLattice, random_stream, tagged

Config = dict[str, Any]

REFERENCE_CELLS = 100  # random cells the whitening is fitted on


def fit_whitening(study: Config) -> Whitening:
    """Fit the whitening on random cells of the study's sampler, from a stream of their own."""
    rng = random_stream(study["seed"], "whitening", 0)
    cells, _ = generate_cells(
        REFERENCE_CELLS,
        _lattice(study),
        _sampler(study),
        _optimiser(study, entropy_weight=0),
        _descriptor(study),
        None,
        rng,
    )
    return Whitening.of(environment_descriptors(cells, _descriptor(study)))


def sampled_chunk(
    study: Config, name: str, dataset: Config, chunk: int, whitening: Whitening
) -> tuple[list[Atoms], Counter[str]]:
    """Make chunk number `chunk` of the entropy or random data set called `name`.

    Returns the cells, tagged, and the count of accepted and rejected ones.
    """
    weight = study["optimiser"]["entropy_weight"] if dataset["family"] == "entropy" else 0
    cells, outcome = generate_cells(
        chunk_size(dataset["cells"], dataset["chunks"], chunk),
        _lattice(study),
        _sampler(study),
        _optimiser(study, weight),
        _descriptor(study),
        whitening,
        random_stream(study["seed"], name, chunk),
    )
    return [
        _named(tagged(cell, dataset["family"], f"{name}_{chunk}_{index}"), name)
        for index, cell in enumerate(cells)
    ], outcome


def expert_chunk(study: Config, name: str, dataset: Config, chunk: int) -> list[Atoms]:
    """Return every n-th cell of the expert data set called `name`, starting at `chunk`."""
    rng = random_stream(study["seed"], name, 0)
    cells = expert_cells(_lattice(study), dataset["groups"], rng)
    return [_named(cell, name) for cell in cells[chunk :: dataset["chunks"]]]


def chunk_size(cells: int, chunks: int, chunk: int) -> int:
    """Number of cells in a chunk when `cells` are dealt out evenly."""
    return cells // chunks + (chunk < cells % chunks)


def _named(cell: Atoms, dataset: str) -> Atoms:
    cell.info["dataset"] = dataset
    return cell


def _lattice(study: Config) -> ReferenceLattice:
    return ReferenceLattice(study["element"], **study["lattice"])


def _sampler(study: Config) -> SamplerSettings:
    return SamplerSettings(**study["sampler"])


def _optimiser(study: Config, entropy_weight: float) -> OptimiserSettings:
    options = study["optimiser"]
    return OptimiserSettings(entropy_weight, options["steps"], options["step_size"])


def _descriptor(study: Config) -> BispectrumSettings:
    return BispectrumSettings(study["optimiser"]["twojmax"], study["cutoff"])
