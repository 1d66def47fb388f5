"""Claims of one study beside those of another: same rules, other sizes, labels and cells."""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd

from diverse.errors.curves import set_sizes
from diverse.errors.levels import NEUTRAL_GROUND

KEYS = ["claim", "quantity", "train", "reference", "test"]
NO_DATA = "no data"
SMALLEST = 0.9  # of the environments that were asked for: cells are not cut
EQUAL_SIZES = ["of", "model", "quantity", "size", "environments", "ratio"]
FOUND = ["effect", "ci_low", "ci_high", "verdict"]


def claims_beside(own: pd.DataFrame, other: pd.DataFrame) -> pd.DataFrame:
    """Return the claims of a study with those of another study on sets of the same names.

    Parameters
    ----------
    own, other : DataFrame
        Tables of claims.

    Returns
    -------
    DataFrame
        `KEYS`, ``statement``, `FOUND`, the same of the other study with the prefix ``other_``, and
        ``agreement``: ``same verdict``, ``another verdict``, ``no data``, or ``not asked there``;
        with ``, opposite effect`` where the intervals lie on different sides of 1.
    """
    theirs = other[[*KEYS, *FOUND]].rename(columns={name: f"other_{name}" for name in FOUND})
    table = own[[*KEYS, "statement", *FOUND]].merge(theirs, on=KEYS, how="left")
    same = table["verdict"] == table["other_verdict"]
    table["agreement"] = same.map({True: "same verdict", False: "another verdict"})
    turned = ((table["ci_high"] < 1) & (table["other_ci_low"] > 1)) | (
        (table["ci_low"] > 1) & (table["other_ci_high"] < 1)
    )
    table.loc[turned, "agreement"] += ", opposite effect"
    table.loc[(table[["verdict", "other_verdict"]] == NO_DATA).any(axis=1), "agreement"] = NO_DATA
    table.loc[table["other_verdict"].isna(), "agreement"] = "not asked there"
    return table


def set_facts(study: str, labeller: str, training_sets: pd.DataFrame) -> pd.DataFrame:
    """Return what two studies differ in: labels, and sizes of training sets and of their cells.

    Parameters
    ----------
    study, labeller : str
        Name of the study, and kind of its labeller.
    training_sets : DataFrame
        ``training_sets.csv``; sets of one source count.

    Returns
    -------
    DataFrame
        A row a training set: ``study``, ``labeller``, ``train``, ``cells``, ``environments`` (means
        over draws) and ``atoms_per_cell``.
    """
    whole = training_sets[training_sets["train"] == training_sets["source"]]
    sizes = set_sizes(whole).reset_index()[["train", "cells", "environments"]]
    sizes["atoms_per_cell"] = sizes["environments"] / sizes["cells"]
    return sizes.assign(study=study, labeller=labeller)[["study", "labeller", *sizes.columns]]


def equal_sizes(curves: pd.DataFrame, families: Mapping[str, str], reference: str) -> pd.DataFrame:
    """Return errors on neutral ground over those of the reference set of the same size.

    Parameters
    ----------
    curves : DataFrame
        ``curves.csv``.
    families : mapping
        Training sets on a curve, and the data set whose curve it is.
    reference : str
        Data set that the others are compared with.

    Returns
    -------
    DataFrame
        ``of``, ``model``, ``quantity``, ``size`` (environments that were asked for, or ``whole``),
        ``environments`` and ``ratio``, above 1 where the reference set is better. Whole sets may
        differ in size; a set that has not as many environments as were asked for has no row.
    """
    rows = curves[(curves["ground"] == NEUTRAL_GROUND) & curves["train"].isin(families)]
    size = [
        train.removeprefix(of) or "whole"
        for train, of in zip(rows["train"], rows["of"], strict=True)
    ]
    keys = ["model", "quantity", "size"]
    rows = rows.assign(size=size)[[*keys, "of", "environments", "error"]]
    asked = pd.to_numeric(rows["size"], errors="coerce")  # NaN of whole sets
    rows = rows[~(rows["environments"] < SMALLEST * asked)]
    base = rows[rows["of"] == reference].set_index(keys)["error"]
    others = rows[rows["of"] != reference].join(base.rename("base"), on=keys)
    others = others.assign(ratio=others["error"] / others["base"]).dropna(subset="ratio")
    return others[EQUAL_SIZES].reset_index(drop=True)
