"""Pages of errors: transferability, groups, calibration."""

from __future__ import annotations

from html import escape

import pandas as pd

from diverse.errors.views import GROUP_KEYS, ZERO_FORCE_ERROR
from diverse.report.numbers import digits
from diverse.report.pages.html import STYLE, bold_interval, escaped


def transferability_page(table: pd.DataFrame, notes: str) -> str:
    """Return the transferability table as a page: one block per quantity and metric.

    `notes` stand above, a paragraph a line: the noise of the labels, and what was not fitted here.
    """
    table = escaped(table)
    tests = [c for c in table.columns[5:] if not c.endswith(("_low", "_high"))]
    parts = [STYLE, *(f"<p>{escape(line)}</p>" for line in notes.splitlines())]
    for (quantity, metric, unit), block in table.groupby(["quantity", "metric", "unit"], sort=True):
        shown = block[["train", "model"]].rename(columns={"train": "trained on"})
        for test in tests:
            shown[f"on {test}"] = [
                bold_interval(*row)
                for row in block[[test, f"{test}_low", f"{test}_high"]].itertuples(index=False)
            ]
        parts.append(f"<h3>{metric.upper()} of {quantity} ({unit})</h3>")
        parts.append(shown.to_html(index=False, escape=False, border=0))
    return "\n".join(parts)


def shifts_page(scores: pd.DataFrame) -> str:
    """Return the constants taken off predicted energies as a block of a page, if there are any."""
    energy = (scores["quantity"] == "energy") & (scores["metric"] == "rmse")
    shown = scores[scores["energy_aligned"] & energy & (scores["group"] == "all")]
    shown = shown[shown["seed"] == "all"]
    if shown.empty:
        return ""
    wide = shown.pivot(index=["train", "model"], columns="test", values="energy_shift")
    wide = wide.rename_axis(index={"train": "trained on"}).add_prefix("on ").reset_index()
    title = "Constant taken off the predicted energies (eV/atom)"
    body = wide.to_html(index=False, border=0, na_rep="", float_format="{:.4f}".format)
    return f"<h3>{title}</h3>{body}"


def groups_page(table: pd.DataFrame) -> str:
    """Return the errors of groups as a page: one block per test set and quantity.

    The lowest error among the training sets of each model is bold; errors of forces that symmetry
    makes zero are 0.
    """
    parts, table = [STYLE], escaped(table)
    models = pd.MultiIndex.from_tuples(
        [tuple(column.split("/")[::-1]) for column in table.columns[len(GROUP_KEYS) :]],
        names=["model", "trained on"],
    )
    for (test, quantity, unit), block in table.groupby(["test", "quantity", "unit"], sort=False):
        errors = block[table.columns[len(GROUP_KEYS) :]].set_axis(models, axis=1)
        errors = errors.where(errors > ZERO_FORCE_ERROR, 0)
        lowest = errors.T.groupby(level="model").transform("min").T
        texts = errors.map(digits)
        shown = texts.where((errors > lowest) | (errors == 0), "<b>" + texts + "</b>")
        shown.index = pd.MultiIndex.from_frame(
            block[["group", "n_cells"]], names=["group", "cells"]
        )
        parts.append(f"<h3>RMSE of {quantity} on {test} ({unit})</h3>")
        parts.append(shown.to_html(escape=False, border=0))
    return "\n".join(parts)


def calibration_page(table: pd.DataFrame) -> str:
    """Return actual over predicted errors as a page: one block a quantity, one column a test."""
    parts, table = [STYLE], escaped(table)
    for (quantity, unit), block in table[table["bin"] == 0].groupby(["quantity", "unit"]):
        rows: dict[tuple[str, str], dict[str, str]] = {}
        for entry in block.to_dict("records"):
            text = (
                f"<b>{entry['actual_over_predicted']:.3g}</b><br><small>{digits(entry['actual'])}"
                f" / {digits(entry['predicted'])}<br>n = {entry['n']}</small>"
            )
            rows.setdefault((entry["train"], entry["model"]), {})[f"on {entry['test']}"] = text
        shown = pd.DataFrame.from_dict(rows, orient="index")
        shown.index.names = ["trained on", "model"]
        parts.append(f"<h3>Actual over predicted errors of {quantity} ({unit})</h3>")
        parts.append(shown.to_html(escape=False, border=0, na_rep=""))
    return "\n".join(parts)
