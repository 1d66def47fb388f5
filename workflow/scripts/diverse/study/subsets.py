"""Subsets of a study's training sets: those it names, and those its learning curve asks for."""

from __future__ import annotations

from typing import Any

Config = dict[str, Any]


def complete_subsets(study: Config) -> None:
    """Add the subsets of the learning curve to `study`, and fill in which models are trained.

    The subset of data set ``entropy`` with at most 200 environments is named ``entropy200``.

    Raises
    ------
    ValueError
        If a subset is of no training set, or has a taken name or an unknown model; if a learning
        curve is asked for at the size of the whole sets.
    """
    if "learning_curve" in study:
        _add_learning_curve(study)
    for name, subset in study["subsets"].items():
        parent = study["datasets"].get(subset["of"], {"use": "there is none"})
        if parent["use"] != "train_and_test":
            raise ValueError(
                f"subsets.{name}: '{subset['of']}' is not a data set of this study with a training "
                "part"
            )
        if name in study["datasets"]:
            raise ValueError(f"subsets.{name}: a data set has this name already")
        subset["models"] = subset["models"] or list(study["models"])
        unknown = sorted(set(subset["models"]) - set(study["models"]))
        if unknown:
            raise ValueError(f"subsets.{name}.models: there is no model '{unknown[0]}'")


def _add_learning_curve(study: Config) -> None:
    curve, whole = study["learning_curve"], study["split"]["train_environments"]
    rest = {"method": curve["method"], "models": curve["models"] or list(study["models"])}
    for environments in curve["environments"]:
        if whole is not None and environments >= whole:
            raise ValueError(
                f"learning_curve.environments: {environments} is not below "
                f"split.train_environments ({whole}), which the last point of each curve has"
            )
        for name, dataset in study["datasets"].items():
            if dataset["use"] != "train_and_test":
                continue
            subset = {"of": name, "environments": environments, **rest}
            if study["subsets"].setdefault(f"{name}{environments}", subset) != subset:
                raise ValueError(
                    f"learning_curve: subsets has another {name}{environments}; rename it"
                )
