"""Pages of models: the loss weights that were tried."""

from __future__ import annotations

import pandas as pd

from diverse.report.pages.html import STYLE, escaped


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
