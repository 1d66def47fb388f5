"""Cost of a study before it runs: core-hours, memory and disk of every stage.

Costs of labels come from a fit to the released ones (`diverse.labels.cost`), those of the other
stages from what they took for a set of the paper's size (``results/release/benchmarks``).
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from ase import Atoms

from diverse.labels.cost import LabelCost, cutoff_power, fit_cost, work_of
from diverse.labels.labellers import make_labeller
from diverse.labels.ledger import Ledger
from diverse.study.blocks import shared_sums
from diverse.study.expected import expected_cells
from diverse.study.rounds import chunks_made
from diverse.study.settings import labeller_options, own_models, reference_lattice, variant_options
from diverse.study.subsets import subset_parts

Config = dict[str, Any]

COLUMNS = [
    *("stage", "dataset", "cells", "environments", "jobs"),
    *("core_hours", "low", "high", "memory_mb", "disk_mb", "protocol"),
]
TOGETHER = 15  # labels next to one another in a ledger, whose time is summed for the interval
STRUCTURE_BYTES, LABEL_BYTES = 60, 150  # of an atom in extended XYZ
POD_COST = 2.0  # of a fit of POD with 185 coefficients, over one of quadratic SNAP at 2Jmax 8
LABEL_COPIES = 3  # ledger, chunk, training or test part


@dataclass(frozen=True)
class Rates:
    """Core seconds an environment of the stages without DFT, and the memory (MB) of a job.

    Attributes
    ----------
    generate, label, linear, quadratic : (float, float)
        Of entropy-maximised cells, of labels by a potential, and of fits at 2Jmax 8.
    network : float
        Core seconds an environment and epoch, at 2Jmax 8, with derivatives computed anew.
    """

    generate: tuple[float, float]
    label: tuple[float, float]
    linear: tuple[float, float]
    quadratic: tuple[float, float]
    network: float


def read_rates(folder: Path) -> Rates:
    """Read what the stages took for a set of the paper's size from released benchmarks."""
    made = pd.read_csv(folder / "full_size_set/generation.csv").iloc[0]
    steps = pd.read_csv(folder / "full_size_set/fits.csv").set_index("step")

    def rate(name: str) -> tuple[float, float]:
        row = steps.loc[next(step for step in steps.index if step.startswith(name))]
        return row["core_seconds"] / row["environments"], row["peak_memory_MB"]

    compared = pd.read_csv(folder / "comparisons.csv").set_index("name")
    return Rates(
        (made["core_seconds"] / made["environments"], made["memory_of_a_chunk"]),
        rate("label_chunk"),
        rate("fit_polynomial linear"),
        rate("fit_polynomial quadratic"),
        1 / compared.loc["train_matrix_free", "ours"],
    )


def released_cost(reference: Config, released: Path) -> LabelCost:
    """Fit the cost of a label to the released ones.

    Parameters
    ----------
    reference : dict
        The study that the released labels are of, with its defaults.
    released : Path
        Folder of the release.
    """
    files = sorted((released / "labels").glob("*.xyz.xz"))
    rows = [row for row in Ledger(None, files).rows() if row.info["labeller"] == "gpaw"]
    settings = make_labeller(
        labeller_options(reference, next(iter(reference["datasets"])))
    ).settings
    lattice = reference_lattice(reference)
    work = work_of(rows, settings, volume_per_atom=lattice.volume_per_atom)
    seconds = np.array([row.info["seconds"] for row in rows])
    groups = np.arange(len(rows)) // TOGETHER
    cost = fit_cost(work, seconds, groups, cutoff=settings.cutoff_energy)
    return replace(cost, power=cutoff_power(_cutoffs(reference, released)))


def _cutoffs(reference: Config, released: Path) -> list[tuple[str, float, float]]:
    """Return the labels of the convergence study: what is alike but for the cutoff, and it."""
    variants: dict[str, tuple[str, float]] = {}
    for options in variant_options(reference).values():
        rest = {key: value for key, value in options.items() if key != "cutoff_energy"}
        variants[make_labeller(options).protocol] = (str(rest), options["cutoff_energy"])
    ledger = Ledger(None, sorted((released / "convergence").glob("*.xyz.xz")))
    found = []
    for row in ledger.rows():
        if row.info["protocol"] in variants:
            others, cutoff = variants[row.info["protocol"]]
            name = f"{row.info['trajectory']} {len(row)} {others}"
            found.append((name, cutoff, float(row.info["seconds"])))
    return found


def estimate(
    study: Config, cost: LabelCost, rates: Rates, made: Mapping[str, Sequence[Path]]
) -> pd.DataFrame:
    """Return what every stage of a study takes, a line a stage and data set.

    Parameters
    ----------
    study : dict
        The study with its defaults.
    cost : LabelCost
    rates : Rates
    made : dict of str to list of Path
        Chunks of structures of each data set that are there: costs are of these cells. Without any,
        they are of cells that the sampler or the recipes would make.

    Returns
    -------
    DataFrame
        Columns `COLUMNS`: ``low`` and ``high`` of the core-hours, ``memory_mb`` of a core (labels)
        or of a job; ``protocol`` of the labels. NaN where nothing is known, such as the time of an
        ASE calculator. A published set counts nothing before it is imported.
    """
    lines: list[Config] = []
    sizes: dict[str, tuple[float, float]] = {}
    for name, dataset in study["datasets"].items():
        cells, weights = expected_cells(study, name, made.get(name, []))
        environments = float(weights @ [len(cell) for cell in cells])
        sizes[name] = environments, float(weights.sum())
        common: Config = {
            "dataset": name,
            "cells": float(weights.sum()),
            "environments": environments,
        }
        common["jobs"] = len(chunks_made(dataset))
        generated = {
            "core_hours": environments * rates.generate[0] / 3600,
            "memory_mb": rates.generate[1],
            "disk_mb": environments * STRUCTURE_BYTES / 1e6,
        }
        lines.append({"stage": "generate", **common, **generated})
        if dataset.get("labels") != "keep":
            label = _label(study, name, cells, weights, cost, rates)
            label["protocol"] = make_labeller(labeller_options(study, name)).protocol
            label["disk_mb"] = LABEL_COPIES * environments * LABEL_BYTES / 1e6
            lines.append({"stage": "label", **common, **label})
    return pd.DataFrame([*lines, *_training(study, sizes, rates)]).reindex(columns=COLUMNS)


def _label(
    study: Config,
    name: str,
    cells: Sequence[Atoms],
    weights: np.ndarray,
    cost: LabelCost,
    rates: Rates,
) -> Config:
    """Return core-hours, their interval and the memory of a core for the labels of a data set."""
    labeller = make_labeller(labeller_options(study, name))
    if labeller.kind == "lammps":
        rate, memory = rates.label
        hours = float(weights @ [len(cell) for cell in cells]) * rate / 3600
        return {"core_hours": hours, "memory_mb": memory}
    if labeller.kind != "gpaw":
        return {}
    volume = reference_lattice(study).volume_per_atom
    work = work_of(cells, labeller.settings, volume_per_atom=volume)
    hours = float(weights @ cost.seconds(work, labeller.settings.cutoff_energy)) / 3600
    ends = {"core_hours": hours, "low": hours * cost.low, "high": hours * cost.high}
    return {**ends, "memory_mb": float(work["largest_mb"].max())}


def _training(
    study: Config, sizes: Mapping[str, tuple[float, float]], rates: Rates
) -> Iterable[Config]:
    """Return the training of polynomials and networks, as whole sets, draws and subsets.

    Sizes of data sets are environments and cells. Of a study that is split by block a polynomial
    costs the one pass over all cells that sums its normal equations, or none if the sums of another
    serve it.
    """
    split, totals = study["split"], {"polynomials": 0.0, "networks": 0.0}
    whole = [name for name, d in study["datasets"].items() if d["use"] == "train_and_test"]
    environments, cells = np.sum([sizes[name] for name in whole], axis=0)
    jobs, cell_size = dict.fromkeys(totals, 0), environments / cells if cells else 1.0
    models = own_models(study)
    summed = {}
    if split["by"] == "block":
        polynomials = [m for m in models if study["models"][m]["family"] != "network"]
        summed = shared_sums(study["models"], polynomials)
    for model in models:
        block = study["models"][model]
        kind = "networks" if block["family"] == "network" else "polynomials"
        drawn = split["draws"] > 1 and block["draws"]
        for name in whole:
            size = _training_size(study, name, sizes[name][0])
            trainings = block.get("seeds", 1) + (2 * split["draws"] if drawn else 0)
            if model in summed:
                trainings = (summed[model] == model) / (1 - split["test_fraction"])
            per_cell = sizes[name][0] / sizes[name][1] if sizes[name][1] else 1.0
            totals[kind] += trainings * _core_seconds(block, rates, size, per_cell) / 3600
            jobs[kind] += block.get("seeds", 1) + (kind == "networks" and drawn)
        for subset in study["subsets"].values():
            if model in subset["models"]:
                seconds = _core_seconds(block, rates, _size(study, subset, sizes), cell_size)
                totals[kind] += seconds * (subset["draws"] or split["draws"]) / 3600
    return [
        {"stage": "train", "dataset": kind, "core_hours": hours, "jobs": jobs[kind]}
        for kind, hours in totals.items()
        if jobs[kind]
    ]


def _training_size(study: Config, name: str, environments: float) -> float:
    """Return the environments of the training part of a data set that has so many."""
    split = study["split"]
    held_out = 0 if study["datasets"][name]["use"] == "pool" else split["test_fraction"]
    return min(environments * (1 - held_out), split["train_environments"] or math.inf)


def _size(study: Config, subset: Config, sizes: Mapping[str, tuple[float, float]]) -> float:
    """Return the environments of a subset; all of a data set are those of its training part."""
    parts = subset_parts(subset)
    whole = [sum(_training_size(study, name, sizes[name][0]) for name in of) for of, _ in parts]
    taken = [environments for _, environments in parts]
    return sum(all_ if n is None else n for n, all_ in zip(taken, whole, strict=True))


def _core_seconds(block: Config, rates: Rates, environments: float, cell_size: float) -> float:
    """Return core seconds of one training of a model on so many environments; none of nothing."""
    if not environments:
        return 0.0
    return environments * _rate(block, rates, environments / cell_size)


def _rate(block: Config, rates: Rates, n_cells: float) -> float:
    """Return core seconds an environment of one training of a model on a set of so many cells."""
    if block["family"] == "network" and block["steps"]:
        return rates.network * block["steps"] * min(block["batch"] or n_cells, n_cells) / n_cells
    if block["family"] == "network":
        return float(rates.network * block["epochs"])
    if block["family"] == "pod":
        return POD_COST * rates.quadratic[0]
    return rates.linear[0] if block["family"] == "linear" else rates.quadratic[0]


def wall_times(table: pd.DataFrame, nodes: Sequence[int], *, cores: int) -> pd.DataFrame:
    """Return the hours that all labels take on so many nodes, a line a number of nodes.

    A chunk takes one node, so the longest chunk is the least that any number of nodes needs.

    Parameters
    ----------
    table : DataFrame
        Of `estimate`.
    nodes : list of int
    cores : int
        Of a node.
    """
    labels = table[table["stage"] == "label"]
    longest = (labels["core_hours"] / labels["jobs"]).max() / cores
    total = labels["core_hours"].sum()
    hours = [max(longest, total / (number * cores)) for number in nodes]
    every = [number * cores for number in nodes]
    return pd.DataFrame({"nodes": nodes, "cores": every, "hours": hours})
