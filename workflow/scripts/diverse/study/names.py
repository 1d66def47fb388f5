"""Names of a study, of its data sets and models: what files, folders and tables can carry."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import yaml

from diverse.study.ablation import ARMS
from diverse.study.fits import SUBSET_FITS
from diverse.study.reading import ConfigError, demand

Config = dict[str, Any]

RELEASE = "release"  # of results/: what the repository ships
NEUTRAL = "neutral"  # of tables of effects: groups that are unlike every training set
CLASSES = {"linear", "quadratic", "pod", "ace", "network", "a", "b"}  # of models
BATCHES = {"polynomials", "exported", "ace"}  # of models, whose errors on draws lie in one file
# Texts that tables and extended XYZ give back as a missing value, a number or a truth value.
NO_TEXT = {"na", "nan", "null", "none", "inf", "infinity", "t", "f", "true", "false"}


def check_names(study: Config) -> None:
    """Refuse names that the results could not be told apart by, or that mean something else.

    Parameters
    ----------
    study : dict
        The study file, its subsets complete; the schema has seen to the letters of each name.

    Raises
    ------
    ConfigError
        For a study called ``release``, names that read back as something else than text, names
        that differ in capital letters alone, models called as the fits to subsets of another or as
        a batch of models, reference models called as a model or a class of models, reference models
        and labellers called as a potential of the study, data sets called as an arm of the ablation
        or as the neutral ground, and potentials of one name from two pairs of training set and
        model.
    """
    if study["study"].lower() == RELEASE:
        raise ConfigError(
            f"study: results/{RELEASE} holds what the repository ships; give the study another name"
        )
    variants = study.get("convergence", {"variants": {}})["variants"]
    sets = [*study["datasets"], *study["subsets"]]
    for where, names in {
        "datasets and subsets": sets,
        "labellers": study["labellers"],
        "models and reference_models": [*study["models"], *study["reference_models"]],
        "convergence.variants": variants,
    }.items():
        _check_alike(where, names)
    for name, model in study["models"].items():
        if name.lower() in BATCHES and name.lower() != model["family"]:
            raise ConfigError(
                f"models.{name}: errors of several models together have this name; rename the model"
            )
        if name.endswith(SUBSET_FITS) and name.removesuffix(SUBSET_FITS) in study["models"]:
            raise ConfigError(
                f"models.{name}: records of fits of {name.removesuffix(SUBSET_FITS)} to subsets "
                "have this name; rename the model"
            )
    for name in study["reference_models"]:
        if name in study["models"]:
            raise ConfigError(
                f"reference_models.{name}: a model that is trained here has this name; rename one"
            )
        if name in study["labellers"]:
            raise ConfigError(f"reference_models.{name}: a labeller has this name; rename one")
        if name.lower() in CLASSES:
            raise ConfigError(
                f"reference_models.{name}: figures have a class of models of this name; rename it"
            )
    for name, dataset in study["datasets"].items():
        if name in ARMS and dataset["family"] in ("expert", "literature"):
            raise ConfigError(
                f"datasets.{name}: the ablation has cells of this name; rename the set"
            )
        if name.lower() == NEUTRAL:
            raise ConfigError(
                f"datasets.{name}: tables of effects have rows of this name, for groups of cells "
                "that are unlike every training set; rename the set"
            )
    _check_potentials(sets, study["models"])
    _check_measured(study, sets)


def _check_alike(where: str, names: Iterable[str]) -> None:
    names = list(names)
    for name in names:
        if name.lower() in NO_TEXT:
            raise ConfigError(
                f"{where}: '{name}' is read back from tables as something else than a name; choose "
                "another"
            )
    lower = Counter(name.lower() for name in names)
    alike = [name for name in names if lower[name.lower()] > 1]
    if len(set(alike)) > 1:
        raise ConfigError(
            f"{where}: '{alike[0]}' and '{alike[1]}' differ in capital letters alone; some file "
            "systems take them for one, so rename one"
        )


def _check_potentials(trains: Iterable[str], models: Iterable[str]) -> None:
    """Refuse two pairs whose potentials would lie in one folder, ``{train}-{model}-{seed}``."""
    found: dict[str, tuple[str, str]] = {}
    for pair in ((train, model) for train in trains for model in models):
        other = found.setdefault("-".join(pair), pair)
        if other != pair:
            raise ConfigError(
                f"models: '{pair[1]}' trained on '{pair[0]}' and '{other[1]}' trained on "
                f"'{other[0]}' would both be the potential {'-'.join(pair)}; use _ instead of - in "
                "one of the names"
            )


def _check_measured(study: Config, trains: Iterable[str]) -> None:
    """Refuse reference models and labellers that physics would take for own potentials."""
    own = {f"{train}-{model}" for train in trains for model in study["models"]}
    for block in ("reference_models", "labellers"):
        for name in study[block]:
            pair, _, seed = name.rpartition("-")
            demand(
                pair not in own or not seed.isdigit(),
                f"{block}.{name}: a potential that is trained here has this name; rename it",
            )


def check_element(study: Config, folder: Path) -> None:
    """Refuse a folder of results that a study of another element has filled.

    Parameters
    ----------
    study : dict
        The study with its defaults.
    folder : Path
        Where its results are to lie.

    Raises
    ------
    ConfigError
        If ``config.yaml`` there names another element.
    """
    try:
        found = yaml.safe_load((folder / "config.yaml").read_text())["element"]
    except (OSError, yaml.YAMLError, KeyError, TypeError):
        return  # a new folder, or a file that its job writes anew
    demand(
        found == study["element"],
        f"study: {folder} holds a study of {found}, this one is of {study['element']}: give it "
        "another name, or move the folder away",
    )
