"""Pages of the verdict: the claims, and the effects and ratios of errors they rest on."""

from __future__ import annotations

from html import escape

import numpy as np
import pandas as pd

from diverse.errors.larger import SIDES
from diverse.errors.theta import DECISIVE
from diverse.report.numbers import digits
from diverse.report.pages.html import STYLE, escaped

METRICS = {
    "mae": "MAE",
    "rmse": "RMSE",
    "median": "median",
    "p95": "95th percentile",
    "mae_offset": "MAE after each model's own offset",
    "spread": "spread over nonlinear forms",
}
NAMES = ["train", "reference", "test", "relation"]


def claims_page(claims: pd.DataFrame) -> str:
    """Return the table of claims as a page: what is claimed, the effect, the verdict, why."""
    parts = [STYLE.replace("text-align: right", "text-align: left")]
    for claim, block in claims.groupby("claim", sort=False):
        parts.append(
            f"<h3>{escape(str(claim))}: {escape('; '.join(block['statement'].unique()))}</h3>"
        )
        shown = escaped(block[["quantity", "verdict", "reading", "definition"]])
        shown["verdict"] = "<b>" + shown["verdict"] + "</b>"
        parts.append(shown.to_html(index=False, escape=False, border=0))
    return "\n".join(parts)


def ratios_page(effects: pd.DataFrame, ratios: pd.DataFrame) -> str:
    """Return effects by metric, then the ratio of every form: bold where an interval excludes 1."""
    parts, effects, ratios = [STYLE], escaped(effects), escaped(ratios)
    for quantity, block in effects.groupby("quantity", sort=False):
        shown = block.assign(cell=ratio_texts(block, "effect"), metric=block["metric"].map(METRICS))
        parts.append(
            f"<h3>Errors of {quantity} over those with the reference set: mean over forms</h3>"
        )
        parts.append(_wide(shown, "metric"))
    for quantity, block in ratios.groupby("quantity", sort=False):
        title = f"{METRICS[DECISIVE[str(quantity)]]} of {quantity}"
        parts.append(f"<h3>{title} over that with the reference set: every form</h3>")
        parts.append(_wide(block.assign(cell=ratio_texts(block, "ratio")), "model"))
    return "\n".join(parts)


def cell_sizes_page(table: pd.DataFrame) -> str:
    """Return errors on larger cells over those on small ones as a page: one block a quantity.

    Parameters
    ----------
    table : DataFrame
        Of `diverse.errors.larger.size_effects`.
    """
    if table.empty:
        return STYLE + "<p>No test set holds larger cells of the kinds of a training set.</p>"
    parts, table = [STYLE], escaped(table)
    for quantity, block in table.groupby("quantity", sort=False):
        rows: dict[str, dict[str, str]] = {}
        for (_, entry), text in zip(block.iterrows(), ratio_texts(block, "effect"), strict=True):
            sides = {f"{side} cells": _side(entry, side) for side in SIDES}
            rows.setdefault(entry["cells"], sides)[f"trained on {entry['train']}"] = text
        shown = pd.DataFrame.from_dict(rows, orient="index").rename_axis("cells like those of")
        parts.append(f"<h3>Errors of {quantity} on larger cells, over those on small ones</h3>")
        parts.append(shown.reset_index().to_html(index=False, escape=False, border=0, na_rep=""))
    return "\n".join(parts)


def _side(entry: pd.Series, side: str) -> str:
    """Return how many cells there are on a side, and how large they are."""
    return f"{entry[f'n_cells_{side}']} of {digits(entry[f'atoms_{side}'], 2)} atoms"


def _wide(block: pd.DataFrame, column: str) -> str:
    """Return a row for each pair of training sets and ground, in the order of the table."""
    wide = block.pivot(index=NAMES, columns=column, values="cell")
    wide = wide.loc[block.set_index(NAMES).index.unique(), block[column].unique()]
    wide = wide.rename_axis(columns=None).rename_axis(index={"train": "trained on"}).reset_index()
    return str(wide.to_html(index=False, escape=False, border=0, na_rep=""))


def ratio_texts(block: pd.DataFrame, column: str) -> list[str]:
    """Return each ratio with its interval, where there is one, as HTML; bold where that excludes 1.

    Parameters
    ----------
    block : DataFrame
        Columns `column`, ``ci_low`` and ``ci_high``.
    """
    texts = []
    for value, low, high in block[[column, "ci_low", "ci_high"]].itertuples(index=False):
        text = f"<b>{digits(value)}</b>" if low > 1 or high < 1 else digits(value)
        ends = f" <small>[{digits(low)}, {digits(high)}]</small>" if np.isfinite(low) else ""
        texts.append(text + ends)
    return texts
