"""Made-up errors over draws of training sets, in the form of the files of a study."""

import numpy as np
import pandas as pd

MODELS = {
    "linear4": {"family": "linear"},
    "quadratic4": {"family": "quadratic"},
    "quadratic6": {"family": "quadratic"},
    "stepdown4": {"family": "network", "type": "A"},
    "expand4": {"family": "network", "type": "B", "widths": None},
}
FAMILIES = {
    **{"entropy": "entropy", "random": "random", "expert": "expert"},
    **{"hot": "expert", "strained": "expert", "extremes": "expert"},
}
TRAINS = ["entropy", "random", "expert"]
# Cells and trajectories of every group.
GROUPS = {
    "entropy": {"entropy": (40, 40)},
    "random": {"random": (40, 40)},
    "expert": {"eos_bcc": (5, 5), "md": (16, 8), "vacancy": (20, 20), "100": (1, 1), "nan": (2, 2)},
    "hot": {"md": (8, 4), "liquid": (8, 4)},
    "strained": {f"distorted_{name}": (7, 7) for name in ("fcc", "hcp", "a15", "sc")},
    "extremes": {"cluster": (6, 6), "contact": (12, 12)},
}
# log of the errors of every training set over those of entropy: on other ground, and at home.
AWAY = {"entropy": 0.0, "random": np.log(1.5), "expert": np.log(3.0)}
HOME = {"entropy": 0.0, "random": 0.0, "expert": np.log(0.5)}
# log of the errors of every form, times a width for each training set; no class is above another.
LEVELS = {"linear4": 0, "quadratic4": 0.3, "quadratic6": -0.3, "stepdown4": 0.3, "expand4": -0.3}
WIDTH = {"entropy": 1.0, "random": 1.5, "expert": 2.0}


def make_cells(rng, groups=GROUPS, atoms=6):
    """Test cells with labels; the energies of a group spread by 300 meV/atom."""
    rows = []
    for test, of_test in groups.items():
        for group, (cells, trajectories) in of_test.items():
            for number in range(cells):
                energy = -10 + 0.3 * rng.normal()
                name = f"{test}_{group}_{number % trajectories}"
                rows.append({"test": test, "group": group, "trajectory": name, "energy": energy})
    cells = pd.DataFrame(rows)
    cells["cell"] = cells.groupby("test", sort=False).cumcount()
    cells["key"] = [f"k{n}" for n in range(len(cells))]
    forces = 3 * atoms * rng.uniform(0.5, 1.5, len(cells)) ** 2
    cells = cells.assign(n_atoms=atoms, forces_squared=forces, d_min=2.4, seconds=60.0)
    cells.loc[cells["group"] == "eos_bcc", "forces_squared"] = 0.0
    return cells


def make_parts(rng, cells, draws, trains):
    """Value (a, b, test) of each cell of every pool in each draw: arrays (draws, cells)."""
    parts = {}
    for train in trains:
        trajectories, member = np.unique(
            cells.loc[cells["test"] == train, "trajectory"], return_inverse=True
        )
        drawn = rng.permuted(np.tile(np.arange(len(trajectories)), (draws, 1)), axis=1)
        cut = len(trajectories) // 4
        value = np.where(drawn < cut, "test", np.where(drawn % 2 == 0, "a", "b"))
        parts[train] = value[:, member]
    return parts


def make_study(
    seed=0,
    *,
    draws=10,
    models=MODELS,
    trains=TRAINS,
    groups=GROUPS,
    away=AWAY,
    home=HOME,
    spread=0.3,
):
    """Return errors, cells and training sets in the form of a study's files.

    Errors of a cell are its own size, times the factor of the training set on that ground, times
    one that follows from the cells of the training part, so that its variance goes as 1 / size.
    Clusters are predicted by no model.
    """
    rng = np.random.default_rng(seed)
    cells = make_cells(rng, groups)
    parts = make_parts(rng, cells, draws, trains)
    tables, sizes = [], []
    for train in trains:
        own = rng.normal(size=len(parts[train][0])) * spread * np.sqrt(parts[train].shape[1])
        by_cell = rng.normal(size=len(cells)) * 0.3
        forms = {m: WIDTH[train] * LEVELS[m] + 0.1 * rng.normal(size=len(cells)) for m in models}
        for draw in range(draws):
            value = parts[train][draw]
            tested = np.ones(len(cells), dtype=bool)
            for other in trains:
                tested[cells["test"] == other] = parts[other][draw] == "test"
            for part, chosen in (("whole", value != "test"), *((p, value == p) for p in "ab")):
                sizes.append((train, draw, part, train, int(chosen.sum()), int(chosen.sum()) * 6))
                shift = by_cell + own[chosen].mean()
                shift = shift + np.where(cells["test"] == train, home[train], away[train])
                for model in models:
                    seeds = 3 if models[model]["family"] == "network" else 1
                    for number in range(seeds if (draw, part) == (0, "whole") else 1):
                        noise = 0.05 * rng.normal() if seeds > 1 else 0.0
                        size = 20 * np.exp(shift + forms[model] + noise)
                        size = np.where(cells["group"] == "cluster", 4000.0, size)
                        sign = rng.choice([-1, 1], len(cells))
                        rows = cells.drop(columns=["key", "energy", "d_min", "seconds"]).assign(
                            **{"train": train, "model": model, "draw": draw, "part": part},
                            seed=number,
                            energy_error=sign * size,
                            forces_squared=3 * cells["n_atoms"] * (5 * size) ** 2,
                        )
                        tables.append(rows[tested])
    columns = ["train", "draw", "part", "source", "cells", "environments"]
    sets = pd.DataFrame(sizes, columns=columns).assign(core_hours=1.0)
    return pd.concat(tables, ignore_index=True), cells, sets
