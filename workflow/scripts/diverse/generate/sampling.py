"""Making of a chunk: its cells are drawn, relaxed and accepted, batch by batch."""

from __future__ import annotations

import logging
import time
from collections import Counter
from dataclasses import dataclass
from typing import Literal

import numpy as np
from ase import Atoms
from threadpoolctl import threadpool_limits

from diverse.descriptors.statistics import SetStatistics
from diverse.descriptors.whitening import Whitening
from diverse.generate.acceptance import Gate
from diverse.generate.batch import Batch
from diverse.generate.entropy import CellEntropy, SetEntropy
from diverse.generate.objective import EntropyTerm, shortest_distances
from diverse.generate.optimiser import Bounds, OptimiserSettings, relax
from diverse.generate.random_cells import SamplerSettings, packing_radius, random_cell
from diverse.kernel import (
    BispectrumSettings,
    GeometryError,
    Kernel,
    NeighbourPairs,
    neighbour_pairs,
)
from diverse.kernel.device import Device
from diverse.progress import Progress
from diverse.structures import ReferenceLattice

HOPELESS = (200, 0.02)  # cells drawn, and the part accepted below which there is no point going on

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class EntropySettings:
    """Choice of the entropy that is raised, and of its strength.

    Attributes
    ----------
    estimator : {"cell", "set"} or None
        None: the `random` family.
    weight : float, eV
        K for each environment.
    precision : {"float64", "float32"}
        Type of the descriptors while cells move; what is stored always comes from float64.
    """

    estimator: Literal["cell", "set"] | None
    weight: float = 0.0
    precision: Literal["float64", "float32"] = "float64"


@dataclass(frozen=True)
class Generator:
    """Everything that decides which cells come out of a random stream.

    Attributes
    ----------
    lattice : ReferenceLattice
    sampler : SamplerSettings
    optimiser : OptimiserSettings
    entropy : EntropySettings
    descriptor : BispectrumSettings
    whitening : Whitening
    batch : int
        Largest number of cells optimised together.
    device : Device or None
        Card that cells move on; None for the CPU. Drawing and accepting stay on the CPU.
    """

    lattice: ReferenceLattice
    sampler: SamplerSettings
    optimiser: OptimiserSettings
    entropy: EntropySettings
    descriptor: BispectrumSettings
    whitening: Whitening
    batch: int
    device: Device | None = None

    @property
    def bounds(self) -> Bounds:
        """Bounds that every cell keeps, from the ranges of the sampler and the lattice."""
        low, high = (ratio * self.lattice.volume_per_atom for ratio in self.sampler.volume)
        core = max(self.sampler.d_min, self.sampler.core[1] * packing_radius(high))
        return Bounds(self.sampler.d_min, (low, high), core, self.sampler.core_stiffness)

    def term(self, statistics: SetStatistics) -> EntropyTerm | None:
        """Return the entropy of a batch that sees these statistics; None for family `random`."""
        chosen = self.entropy
        if chosen.estimator is None:
            return None
        kernel = Kernel(self.descriptor, dtype=chosen.precision, threads=self.optimiser.threads)
        estimator = CellEntropy() if chosen.estimator == "cell" else SetEntropy(statistics)
        return EntropyTerm(kernel, self.whitening, estimator, chosen.weight)

    def relax(self, batch: Batch, statistics: SetStatistics) -> None:
        """Move the cells of a batch that sees these statistics."""
        given = batch, self.optimiser, self.bounds, self.term(statistics)
        if self.device is None:
            relax(*given)
            return
        from diverse.generate.cuda_optimiser import relax_on_card  # imports torch

        relax_on_card(*given, device=self.device, descriptor=self.descriptor)


@dataclass(frozen=True)
class Sample:
    """Cells that `generate_cells` made, and what became of the others.

    Attributes
    ----------
    cells : list of Atoms
    outcome : Counter
        Cells by verdict: accepted, too close, duplicate, not finite.
    statistics : SetStatistics
        Statistics of the accepted cells alone.
    """

    cells: list[Atoms]
    outcome: Counter[str]
    statistics: SetStatistics


def generate_cells(
    n_cells: int,
    *,
    generator: Generator,
    earlier: SetStatistics,
    rng: np.random.Generator,
) -> Sample:
    """Make `n_cells` cells that respect the floor.

    Parameters
    ----------
    earlier : SetStatistics
        Statistics of everything accepted before; only the `set` estimator looks at it.

    Raises
    ------
    ValueError
        If hardly any cell reaches the floor on the shortest distance.
    """
    gate = Gate(generator.sampler.d_min)
    sample = Sample([], Counter(), SetStatistics.empty(generator.descriptor.n_components))
    start, progress = time.perf_counter(), Progress(n_cells, f"{n_cells} cells")
    with threadpool_limits(1, "blas"):  # sums in one order, whatever the machine
        while len(sample.cells) < n_cells:
            seen = earlier.merged(sample.statistics)
            batch = _draw(min(generator.batch, n_cells - len(sample.cells)), generator, rng)
            generator.relax(batch, seen)
            had = len(sample.cells)
            sample = _take(sample, batch, generator, gate)
            progress.add(len(sample.cells) - had)
            _report(sample, n_cells, earlier, time.perf_counter() - start)
            _check_hope(sample.outcome, generator.sampler)
    return sample


def _draw(n_cells: int, generator: Generator, rng: np.random.Generator) -> Batch:
    drawn = [random_cell(generator.sampler, generator.lattice, rng) for _ in range(n_cells)]
    return Batch.of([cell for cell, _ in drawn], np.array([core for _, core in drawn]))


def _take(sample: Sample, batch: Batch, generator: Generator, gate: Gate) -> Sample:
    """Add the accepted cells of a relaxed batch, judged as they will be stored."""
    cells = batch.to_atoms(generator.lattice.element)
    stored = Batch.of(cells, batch.core)
    threads = generator.optimiser.threads
    pairs = _stored_pairs(stored, generator.descriptor.cutoff, threads)
    shortest = shortest_distances(stored, pairs)
    kernel = Kernel(generator.descriptor, threads=threads)
    descriptors = kernel.forward(pairs.vector, pairs.first)
    outcome, taken, white = sample.outcome.copy(), list(sample.cells), []
    for number, cell in enumerate(cells):
        atoms = slice(*stored.first_atom[number : number + 2])
        own = generator.whitening(descriptors[atoms])
        failed = bool(batch.failed[number] or stored.failed[number])
        verdict = gate.verdict(own, float(shortest[number]), failed=failed)
        outcome[verdict] += 1
        if verdict == "accepted":
            taken.append(cell)
            white.append(own)
    added = sample.statistics
    if white:
        added = added.merged(SetStatistics.of(np.concatenate(white)))
    return Sample(taken, outcome, added)


def _stored_pairs(batch: Batch, cutoff: float, threads: int) -> NeighbourPairs:
    """Return the pairs of a batch; a cell that has none to give is parked."""
    while True:
        try:
            return neighbour_pairs(
                batch.positions, batch.cells, batch.first_atom, cutoff=cutoff, threads=threads
            )
        except GeometryError as error:
            if batch.failed[error.cell]:
                raise
            batch.park(error.cell)


def _report(sample: Sample, n_cells: int, earlier: SetStatistics, seconds: float) -> None:
    refused = ", ".join(f"{n} {why}" for why, n in sample.outcome.items() if why != "accepted")
    entropy = earlier.merged(sample.statistics).entropy()
    logger.info(
        "accepted %d of %d, rejected %s; entropy so far %.3f nats; %.0f environments/s",
        *(len(sample.cells), n_cells, refused or "none", entropy),
        sample.statistics.count / max(seconds, 1e-9),
    )


def _check_hope(outcome: Counter[str], sampler: SamplerSettings) -> None:
    drawn, accepted = outcome.total(), outcome["accepted"]
    enough, least = HOPELESS
    if drawn >= enough and accepted < least * drawn:
        raise ValueError(
            f"only {accepted} of {drawn} random cells could be used (d_min = {sampler.d_min} Å, "
            f"rejected: {dict(outcome)}): lower d_min or entropy_weight, raise volume or steps, "
            "or ask for fewer cells if they are duplicates"
        )
