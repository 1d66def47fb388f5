"""Pages of training sets beside the main ones: chosen in another way, or weighted in another."""

from __future__ import annotations

import pandas as pd

from diverse.report.numbers import digits, interval
from diverse.report.pages.html import STYLE, escaped


def baselines_page(table: pd.DataFrame) -> str:
    """Return ratios of errors to those of the base set as a page: one block a quantity.

    Parameters
    ----------
    table : DataFrame
        Of `diverse.errors.mixtures.baseline_gains`.
    """
    parts, table = [STYLE], escaped(table)
    if table.empty:
        return STYLE + "<p>There is no training set to compare.</p>"
    base = table["base"].iloc[0]
    for quantity, block in table.groupby("quantity", sort=False):
        rows: dict[str, dict[str, str]] = {}
        for entry in block.to_dict("records"):
            about = {
                "taken from": entry["sources"],
                "environments": digits(entry["environments"]),
                "core-hours": digits(entry["core_hours"]),
            }
            text = interval(entry["ratio"], entry["low"], entry["high"])
            better = f"<small>{entry['improved']} of {entry['draws']}</small>"
            rows.setdefault(entry["train"], about)[f"on {entry['ground']}"] = f"{text} {better}"
        shown = pd.DataFrame.from_dict(rows, orient="index").rename_axis("trained on")
        parts.append(f"<h3>Errors of {quantity}, over those of {base} alone</h3>")
        parts.append(shown.reset_index().to_html(index=False, escape=False, border=0, na_rep=""))
    return "\n".join(parts)


def sensitivity_page(table: pd.DataFrame) -> str:
    """Return ratios of errors by energy weight as a page: one block a quantity.

    Parameters
    ----------
    table : DataFrame
        Of `diverse.errors.sensitivity.weight_effects`.
    """
    parts, table = [STYLE], escaped(table)
    if table.empty:
        return STYLE + "<p>There is no training set to compare.</p>"
    for quantity, block in table.groupby("quantity", sort=False):
        rows: dict[tuple[str, str], dict[str, str]] = {}
        for entry in block.to_dict("records"):
            text = interval(entry["ratio"], entry["low"], entry["high"])
            pair = f"{entry['train']} / {entry['reference']}"
            row = rows.setdefault((pair, entry["energy_weight"]), {})
            row[f"on {entry['ground']}"] = text
        shown = pd.DataFrame.from_dict(rows, orient="index")
        shown.index = pd.MultiIndex.from_tuples(shown.index, names=["sets", "energy weight"])
        parts.append(f"<h3>Ratios of errors of {quantity}</h3>")
        parts.append(shown.reset_index().to_html(index=False, escape=False, border=0, na_rep=""))
    return "\n".join(parts)
