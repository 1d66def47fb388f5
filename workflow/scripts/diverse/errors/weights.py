"""Sensitivity of comparisons to the energy weight that models are trained with."""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd

from diverse.errors.curves import in_order
from diverse.errors.mixtures import gains

Weight = float | str  # "auto": searched for each training set
COLUMNS = ["energy_weight", "train", "reference", "ground", "quantity", "model", "class"]
VALUES = ["ratio", "low", "high", "draws"]


def weight_ratios(
    levels: pd.DataFrame,
    weighted: Mapping[str, tuple[str, Weight]],
    declared: Mapping[str, Weight],
    reference: str,
) -> pd.DataFrame:
    """Return ratios of errors between training sets, for every energy weight alike.

    Parameters
    ----------
    levels : DataFrame
        Of `diverse.errors.levels.ground_levels`.
    weighted : mapping
        Training sets that were trained on once more: data set and energy weight of each.
    declared : mapping
        Energy weight of each model on all other training sets.
    reference : str
        Data set that the others are compared with, at the same weight.

    Returns
    -------
    DataFrame
        Columns ``energy_weight``, ``train``, ``reference``, ``ground``, ``quantity``, ``model``
        (``all``: mean of logarithms over the models of a class, then over classes), ``class``;
        ``ratio`` (above 1: the reference set is better), ``low``, ``high`` (one standard deviation
        over draws) and ``draws``. Models that have one weight only are left out.
    """
    sources = {of: of for of, _ in weighted.values()} | {t: of for t, (of, _) in weighted.items()}
    varied = set(levels.loc[levels["train"].isin(weighted), "model"])
    part = levels[levels["train"].isin(sources) & levels["model"].isin(varied)]
    weights = [
        weighted[train][1] if train in weighted else declared[model]
        for train, model in zip(part["train"], part["model"], strict=True)
    ]
    part = part.assign(
        train=part["train"].map(sources),
        energy_weight=pd.Series(weights, part.index, dtype=object),
    )
    others = [of for of in dict.fromkeys(of for of, _ in weighted.values()) if of != reference]
    tables = [
        gains(part[part["energy_weight"] == weight], others, reference).assign(
            energy_weight=weight, reference=reference
        )
        for weight in sorted(set(weights), key=_numbers_first)
    ]
    if not tables:
        return pd.DataFrame(columns=[*COLUMNS, *VALUES])
    table = in_order(pd.concat(tables), ["ground", "quantity", "train", "model", "energy_weight"])
    return table[[*COLUMNS, *VALUES]]


def _numbers_first(weight: Weight) -> tuple[bool, Weight]:
    return isinstance(weight, str), weight
