"""Page of a published data set: its records, kept and left out."""

from __future__ import annotations

from html import escape

import pandas as pd

from diverse.report.pages.html import STYLE

SHOWN = 200  # rows of a page; the table beside it has all


def import_page(summary: str, groups: pd.DataFrame, problems: pd.DataFrame) -> str:
    """Return what was read of a published data set as a page.

    Parameters
    ----------
    summary : str
        One line: records read, kept, left out and why.
    groups, problems : DataFrame
        As `diverse.datasets.literature.importer` makes them.
    """
    names = {
        "with_stress": "cells with stress",
        "largest_force": "largest force (eV/Å)",
        "d_min": "shortest distance (Å)",
    }
    left = problems.sort_values("action", ascending=False, kind="stable")
    parts = [
        STYLE,
        f"<p>{escape(summary)}</p>",
        groups.rename(columns=names).to_html(border=0, index=False, float_format="{:.4g}".format),
    ]
    if len(left):
        of_all = "" if len(left) <= SHOWN else f", the first {SHOWN} of {len(left):,}"
        parts.append(f"<h3>Records left out, or kept with a remark{of_all}</h3>")
        parts.append(left.head(SHOWN).to_html(border=0, index=False))
    return "\n".join(parts)
