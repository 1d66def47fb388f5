"""Made-up errors of draws: every cell of a group errs by the same, so that levels are known."""

import numpy as np
import pandas as pd

from diverse.errors.draws import model_classes
from diverse.errors.levels import errors_by_set, find_grounds, ground_levels
from diverse.errors.material import Ground, Material

TESTS = {  # groups of each test set, and their numbers of cells
    "expert": {"md": 12, "eos": 8},
    "entropy": {"entropy": 20},
    "random": {"random": 20},
    "strained": {"fcc": 6, "hcp": 6, "bct": 2, "sc": 1},
}
FAMILIES = {"expert": "expert", "entropy": "entropy", "random": "random"}
SETS = {  # environments of each source of each training set
    "expert": {"expert": 1800},
    "entropy": {"entropy": 1800},
    "random": {"random": 1800},
    "expert450": {"expert": 450},
    "entropy450": {"entropy": 450},
    "random450": {"random": 450},
    "replaced": {"expert": 1350, "entropy": 450},
    "added": {"expert": 1800, "entropy": 400},
    "added_random": {"expert": 1800, "random": 400},
    "chosen": {"expert": 300, "entropy": 900, "random": 600},
}
HOURS = {"expert": 0.01, "entropy": 0.02, "random": 0.02}  # core-hours an environment
MODELS = {
    "linear4": {"family": "linear", "twojmax": 4},
    "linear6": {"family": "linear", "twojmax": 6},
    "stepdown4": {"family": "network", "twojmax": 4, "type": "A", "widths": None},
}
ATOMS = 4


def level(train, model, draw, test, quantity):
    """Return log e of a training set on a test set, in meV/atom or meV/Å."""
    parts = SETS[train]
    size = sum(parts.values())
    unlike = 1 - parts.get(test, 0) / size
    quality = {"linear4": 0.4, "linear6": 0.2, "stepdown4": 0.0}[model]
    jitter = 0.1 * np.sin(7 * draw + len(train) + len(model))
    base = 2.0 if quantity == "energy" else 5.0
    return base + quality + unlike - 0.3 * np.log(size / 1800) + jitter


def label_rows(tests=TESTS):
    """Return ``cells.csv``; labels of bct cells have no force, that of the sc cell lacks them."""
    rows = []
    for test, groups in tests.items():
        for cell, group in enumerate(g for g, n in groups.items() for _ in range(n)):
            squared = {"bct": 1e-8, "sc": np.nan}.get(group, 3.0 * ATOMS)
            rows.append(
                {"test": test, "cell": cell, "key": f"{test}{cell}", "group": group}
                | {"trajectory": f"{group}{cell}", "n_atoms": ATOMS, "energy": -8.0 + 0.3 * cell}
                | {"forces_squared": squared, "d_min": 2.0 + 0.02 * cell, "seconds": 60.0}
            )
    return pd.DataFrame(rows)


def draw_errors(trains=tuple(SETS), models=tuple(MODELS), draws=3, tests=TESTS):
    """Return the errors of draws, whole sets and their halves, as the rules write them."""
    cells = label_rows(tests)
    rows = []
    for train in trains:
        for model in models:
            for draw in range(draws):
                for part, worse in (("whole", 0.0), ("a", 1.0)):
                    block = cells[["test", "cell", "group", "trajectory", "n_atoms"]]
                    held_out = (block["cell"] + draw) % 2 == 0
                    block = block[held_out | ~block["test"].isin(FAMILIES)]
                    energy, force = (
                        np.exp([worse + level(train, model, draw, t, q) for t in block["test"]])
                        for q in ("energy", "forces")
                    )
                    sign = np.where(block["cell"] % 3 == 0, 1, -1)
                    named = block.assign(train=train, model=model, draw=draw, part=part, seed=0)
                    rows.append(
                        named.assign(
                            energy_error=sign * energy, forces_squared=3 * ATOMS * force**2
                        )
                    )
    return pd.concat(rows, ignore_index=True)


def training_sets(trains=tuple(SETS), draws=3):
    """Return ``training_sets.csv``: sizes differ a little from draw to draw."""
    rows = []
    for train in trains:
        for draw in range(draws):
            for part, share in (("whole", 1.0), ("a", 0.5)):
                for source, size in SETS[train].items():
                    n = share * (size + 2 * draw - (draws - 1))
                    rows.append(
                        {"train": train, "draw": draw, "part": part, "source": source}
                        | {"cells": n / ATOMS, "environments": n, "core_hours": n * HOURS[source]}
                    )
    return pd.DataFrame(rows)


def find(errors, cells, families=None):
    """Return the grounds of made-up errors of whole training sets."""
    families = families or FAMILIES | {"strained": "expert"}
    whole = errors[errors["train"].isin(FAMILIES)]
    material = Material.of(
        whole, cells, training_sets(), classes=model_classes(MODELS), families=families
    )
    return find_grounds(Ground.of(material, quantity) for quantity in ("energy", "forces"))


def levels(errors, cells):
    """Return the levels of made-up errors on every ground."""
    by_set = errors_by_set(errors, cells, list(MODELS))
    return ground_levels(by_set, cells, model_classes(MODELS), find(errors, cells), {})
