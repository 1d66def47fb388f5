"""Errors against what a training set costs, and against the size of the model."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from diverse.errors.draws import model_classes
from diverse.errors.levels import NEUTRAL_GROUND, over_draws
from diverse.errors.scores import UNITS
from diverse.models.network.model import layer_widths

LARGEST_BEFORE = 2 / 3  # of the environments of the largest set, for a step to it
ROW_KEYS = ["train", "model", "ground", "quantity"]


def set_sizes(training_sets: pd.DataFrame) -> pd.DataFrame:
    """Return the size and the cost of every whole training set, means over draws.

    Parameters
    ----------
    training_sets : DataFrame
        ``training_sets.csv``, one row a draw, part and source.

    Returns
    -------
    DataFrame
        Index ``train``; ``sources``, their names joined by " + "; ``cells``, ``environments`` and
        ``core_hours`` (of the labels), of all sources together.
    """
    whole = training_sets[training_sets["part"] == "whole"]
    by_set = whole.groupby("train", sort=False)
    sums = whole.groupby(["train", "draw"], sort=False)[["cells", "environments", "core_hours"]]
    sizes = sums.sum().groupby("train", sort=False).mean()
    return sizes.assign(sources=by_set["source"].agg(lambda names: " + ".join(names.unique())))


def learning_curves(
    levels: pd.DataFrame, training_sets: pd.DataFrame, families: Mapping[str, str]
) -> pd.DataFrame:
    """Return the points of every learning curve: errors, and what their training sets cost.

    Parameters
    ----------
    levels : DataFrame
        Of `diverse.errors.levels.ground_levels`.
    training_sets : DataFrame
        ``training_sets.csv``.
    families : mapping
        Training sets on a curve, and the data set whose curve it is.

    Returns
    -------
    DataFrame
        One row a training set, model, ground and quantity, along each curve by environments: ``of``
        (the data set), ``environments``, ``core_hours``, and the columns of `over_draws` for
        ``error``. Models that are trained on a single size have no curve and no row.
    """
    members = levels[levels["train"].isin(families)]
    members = on_the_same_cells(members.assign(of=members["train"].map(families)))
    sizes = members.groupby(["of", "model", "ground", "quantity"])["train"].transform("nunique")
    rows = over_draws(members[sizes > 1], ["of", *ROW_KEYS], "error")
    rows = rows.join(set_sizes(training_sets), on="train")
    rows = rows.assign(unit=rows["quantity"].map(UNITS))
    return in_order(rows, ["ground", "quantity", "of", "model", "environments"])


def on_the_same_cells(members: pd.DataFrame) -> pd.DataFrame:
    """Take off the levels of a curve what their draws have of test cells unlike those of all draws.

    Every draw has test cells of its own. A point that rests on some draws alone would differ from
    the last one of its curve, the whole training part, for that reason too. It is therefore moved
    by the mean level of the whole part in all draws less that in the draws of the point.

    Parameters
    ----------
    members : DataFrame
        Levels with a column ``of``, the data set of the curve, which is also the name (``train``)
        of its whole training part.

    Returns
    -------
    DataFrame
        The same rows; unchanged where a point has all draws of the whole part, or where the whole
        part lacks one of its draws.
    """
    keys = ["of", "model", "ground", "quantity"]
    whole = members[members["train"] == members["of"]].set_index([*keys, "draw"])["level"]
    its = pd.Series(
        whole.reindex(pd.MultiIndex.from_frame(members[[*keys, "draw"]])).to_numpy(), members.index
    )
    points = its.groupby([members[name] for name in [*keys, "train"]], sort=False)
    in_draws = points.transform(lambda levels: levels.mean(skipna=False))
    in_all = members[keys].join(whole.groupby(keys).mean().rename("all"), on=keys)["all"]
    return members.assign(level=members["level"] + (in_all - in_draws).fillna(0.0))


def last_steps(curves: pd.DataFrame) -> pd.DataFrame:
    """Return what the last step of every learning curve brought.

    It is the step to the largest set from the largest of at most two thirds of its environments.

    Parameters
    ----------
    curves : DataFrame
        Of `learning_curves`.

    Returns
    -------
    DataFrame
        One row a data set, model, ground (its own test cells, named after it, and neutral ground)
        and quantity: ``environments``, ``core_hours`` and ``error`` of the largest set, those of
        the one before with ``_before``, ``left`` (the error over the one before), ``known``,
        whether the one before has a standard deviation over draws, and ``flat``, whether the error
        lies within it to either side. A curve without so large a step has no row.
    """
    shown = curves[(curves["ground"] == curves["of"]) | (curves["ground"] == NEUTRAL_GROUND)]
    names = ["of", "model", "ground", "quantity"]
    rows = []
    for key, points in shown.groupby(names, sort=False):
        points = points.sort_values("environments")
        last = points.iloc[-1]
        smaller = points[points["environments"] <= LARGEST_BEFORE * last["environments"]]
        if smaller.empty:
            continue
        before = smaller.iloc[-1]
        sizes = ("environments", "core_hours", "error")
        rows.append(
            {
                **dict(zip(names, key, strict=True)),
                **{name: last[name] for name in sizes},
                **{f"{name}_before": before[name] for name in sizes},
                "left": last["error"] / before["error"],
                "known": bool(np.isfinite(before["low"])),
                "flat": before["low"] <= last["error"] <= before["high"],
            }
        )
    return pd.DataFrame(rows)


def hidden_nodes(model: Mapping[str, Any], n_descriptors: int) -> int:
    """Return the number of neurons in all hidden layers of a model; 0 for one without.

    Parameters
    ----------
    model : mapping
        The study's entry of the model.
    n_descriptors : int
        Descriptors that a network of type A or B has its widths from.
    """
    if model["family"] != "network":
        return 0
    return sum(model.get("widths") or layer_widths(model["type"], n_descriptors))


def model_sizes(
    levels: pd.DataFrame,
    parameters: Mapping[str, int],
    models: Mapping[str, Mapping[str, Any]],
    descriptors: Mapping[str, int],
) -> pd.DataFrame:
    """Return the error of every model beside its size.

    Parameters
    ----------
    levels : DataFrame
        Of `diverse.errors.levels.ground_levels`, of the training sets to compare.
    parameters : mapping of str to int
        Number of parameters of each model.
    descriptors : mapping of str to int
        Number of descriptors of each network.
    models : mapping
        The study's entries of the models.

    Returns
    -------
    DataFrame
        One row a training set, model, ground and quantity: ``class``, ``twojmax``,
        ``n_parameters``, ``nodes`` (of hidden layers) and the columns of `over_draws` for
        ``error``; sorted by class and number of parameters.
    """
    classes = model_classes(models)
    about = pd.DataFrame(
        {
            name: {
                "class": classes[name],
                "twojmax": model.get("twojmax"),
                "n_parameters": parameters[name],
                "nodes": hidden_nodes(model, descriptors.get(name, 0)),
            }
            for name, model in models.items()
            if name in parameters
        }
    ).T.infer_objects()
    rows = over_draws(levels[levels["model"].isin(about.index)], ROW_KEYS, "error")
    rows = rows.join(about, on="model").assign(unit=rows["quantity"].map(UNITS))
    return in_order(rows, ["ground", "quantity", "train", "class", "n_parameters"])


def in_order(rows: pd.DataFrame, columns: Sequence[str]) -> pd.DataFrame:
    """Sort rows by columns: numbers by their size, texts in the order in which they come."""

    def places(column: pd.Series) -> pd.Series:
        if column.dtype.kind in "if":
            return column
        return pd.Series(pd.factorize(column)[0], column.index)

    return rows.sort_values(list(columns), key=places, kind="stable", ignore_index=True)
