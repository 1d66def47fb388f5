"""Studies whose data sets are divided in blocks: what goes with that, and which sums serve whom."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from diverse.datasets.blocks import n_test_blocks
from diverse.study.reading import demand

Config = dict[str, Any]
SNAP = ("linear", "quadratic")  # the second holds the columns of the first
FORM = ("radial_functions", "angular_degrees")  # of other models, beside their family


def check_blocks(study: Config) -> None:
    """Refuse what takes all cells of a data set at once, where they are divided in blocks.

    Raises
    ------
    ConfigError
        If there are too few blocks for the draws, training sets are cut to size, labels are mixed,
        cells are weighted by energy, or models other than polynomials take part in draws.
    """
    split = study["split"]
    if split["by"] != "block":
        return
    blocks, n_test = split["blocks"], n_test_blocks(split["blocks"], split["test_fraction"])
    demand(
        split["draws"] * n_test <= blocks and blocks - n_test >= 4,
        f"split: {split['draws']} draws hold out {n_test} of {blocks} blocks each, and no block "
        "twice, and four at least are trained on; raise blocks, or lower draws or test_fraction",
    )
    demand(
        split["train_environments"] is None,
        "split.train_environments: blocks are whole; leave it at null, or split by trajectory",
    )
    demand(
        not split["mixed_labels"],
        "split.mixed_labels: sums of blocks hold labels of one protocol; split by trajectory",
    )
    for name, model in study["models"].items():
        _check_model(f"models.{name}", model, draws=split["draws"])


def _check_model(where: str, model: Config, *, draws: int) -> None:
    if model["family"] in ("network", "ace"):
        demand(
            model["family"] == "network" and (draws == 1 or not model["draws"]),
            f"{where}: of a set that is split by block only polynomials and POD are trained on "
            "every draw; give a network draws: false, leave ACE out, or split by trajectory",
        )
        return
    demand(
        model["energy_scale"] is None,
        f"{where}.energy_scale: sums of blocks weigh all cells alike; leave it at null, or split "
        "by trajectory",
    )
    demand(
        model.get("solver", "streaming") == "streaming",
        f"{where}.solver: FitSNAP holds every row in memory; take streaming, or split otherwise",
    )


def shared_sums(models: Config, names: Iterable[str]) -> dict[str, str]:
    """Return, for each model, the one whose sums of normal equations serve it: itself, or another.

    Those of a SNAP hold those of every one that has no more descriptors, and no products of them
    unless it has them too.

    Parameters
    ----------
    models : dict
        Entries of the study, by name.
    names : iterable of str
        Models that are linear in their coefficients.
    """
    forms = {name: _form(models[name]) for name in names}
    widest = sorted(forms, key=lambda name: forms[name], reverse=True)
    return {
        name: next(wide for wide in widest if _holds(forms[wide], form))
        for name, form in forms.items()
    }


def _form(model: Config) -> tuple[Any, ...]:
    """Return what columns a model has: kind of descriptors, and how many of them."""
    if model["family"] in SNAP:
        return ("snap", SNAP.index(model["family"]), model["twojmax"])
    return (model["family"], *(str(model.get(key)) for key in FORM))


def _holds(wide: tuple[Any, ...], form: tuple[Any, ...]) -> bool:
    if wide[0] == form[0] == "snap":
        return wide[1] >= form[1] and wide[2] >= form[2]
    return wide == form
