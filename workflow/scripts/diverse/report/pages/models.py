"""Pages of models: polynomial fits, and the loss weights that were tried."""

from __future__ import annotations

import pandas as pd

from diverse.report.pages.html import STYLE, escaped


def fits_page(table: pd.DataFrame) -> str:
    """Return the polynomial fits as a page, one block a model: what they rest on, and FitSNAP."""
    parts, table = [STYLE], escaped(table)
    for model, block in table.groupby("model", sort=False):
        shown = pd.DataFrame(
            {
                "trained on": block["train"],
                "solver": block["solver"],
                "rows": block["rows"],
                "columns": block["columns"],
                "rank": block["rank"],
                "condition number": block["condition"].map("{:.1e}".format),
                "ridge": block["ridge"].map("{:.1e}".format),
                "degrees of freedom": block["degrees_of_freedom"].map("{:.1f}".format),
                "residual noise": block["noise"].map("{:.2f}".format),
                "FitSNAP − streaming (eV/atom)": block["energy_difference"].map(_difference),
                "FitSNAP − streaming (eV/Å)": block["force_difference"].map(_difference),
            }
        )
        parts.append(f"<h3>{model}</h3>{shown.to_html(index=False, escape=False, border=0)}")
    return "\n".join(parts)


def _difference(value: float) -> str:
    return "" if pd.isna(value) else f"{value:.1e}"


def search_page(table: pd.DataFrame) -> str:
    """Return the candidates of every search of loss weights as a page, one block a model."""
    parts, table = [STYLE], escaped(table)
    for model, block in table.groupby("model", sort=False):
        shown = pd.DataFrame(
            {
                "trained on": block["train"],
                "energy weight": block["energy_weight"].map("{:g}".format),
                "energy scale (eV/atom)": block["energy_scale"].map("{:g}".format),
                "RMSE of energy (meV/atom)": (1000 * block["energy_rmse"]).map("{:.1f}".format),
                "RMSE of forces (meV/Å)": (1000 * block["force_rmse"]).map("{:.0f}".format),
                "log ratio of their product": [
                    f"{ratio:.2f} <small>± {error:.2f}</small>"
                    for ratio, error in block[["log_ratio", "standard_error"]].to_numpy()
                ],
                "cells left out": block["n_cells"],
                "chosen": block["chosen"].map({True: "<b>chosen</b>", False: ""}),
            }
        ).replace({"nan": "none"})
        parts.append(f"<h3>{model}</h3>{shown.to_html(index=False, escape=False, border=0)}")
    return "\n".join(parts)
