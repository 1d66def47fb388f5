"""Sensitivity of comparisons to the energy weight that all models are trained with."""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd

from diverse.errors.levels import over_draws

DECLARED = "declared"
KEYS = ["train", "reference", "energy_weight", "ground", "quantity"]


def weight_effects(
    levels: pd.DataFrame, weighted: Mapping[str, tuple[str, float]], reference: str
) -> pd.DataFrame:
    """Return ratios of errors between training sets, with each energy weight on both sides.

    Parameters
    ----------
    levels : DataFrame
        Of `diverse.errors.levels.ground_levels`.
    weighted : mapping
        Of each training set that was trained on once more: the set itself, and the energy weight.
    reference : str
        Training set that the others are compared with.

    Returns
    -------
    DataFrame
        ``train``, ``reference``, ``energy_weight`` (`DECLARED`: the models' own), ``ground``,
        ``quantity``; ``ratio`` of the errors of `train` to those of the reference, with ``low`` and
        ``high``, one standard deviation over draws away, and ``draws``. Logarithms are averaged
        over the models that were trained with every weight, within classes, then over classes.
    """
    names = {**weighted, **{base: (base, DECLARED) for base, _ in weighted.values()}}
    chosen = levels[levels["train"].isin(names)]
    tried = set(chosen.loc[chosen["train"].isin(weighted), "model"])
    chosen = chosen[chosen["model"].isin(tried)]
    sets, weights = zip(*chosen["train"].map(names), strict=True) if len(chosen) else ((), ())
    keys = ["train", "energy_weight", "ground", "quantity", "draw"]
    by_class = (
        chosen.assign(train=list(sets), energy_weight=[str(weight) for weight in weights])
        .groupby([*keys, "class"], sort=False, as_index=False)["level"]
        .mean()
    )
    joined = by_class.groupby(keys, sort=False, as_index=False)["level"].mean()
    of_reference = joined[joined["train"] == reference].set_index(keys[1:])["level"]
    pairs = joined[joined["train"] != reference].join(of_reference.rename("of"), on=keys[1:])
    pairs = pairs.dropna(subset="of").assign(reference=reference)
    pairs["level"] -= pairs.pop("of")
    return over_draws(pairs, KEYS, "ratio")
