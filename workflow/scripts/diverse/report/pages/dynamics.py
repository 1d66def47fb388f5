"""Page of dynamics: how well every potential conserves energy."""

from __future__ import annotations

import pandas as pd

from diverse.report.numbers import digits
from diverse.report.pages.html import STYLE, escaped


def dynamics_page(table: pd.DataFrame) -> str:
    """Return the slopes of `diverse.dynamics.slopes.slopes_table` as a page, one row a potential.

    A potential whose runs failed has their reason in the place of its numbers.
    """
    table = escaped(table)
    ends = zip(table["slope"], table["ci_low"], table["ci_high"], strict=True)
    shown = pd.DataFrame(
        {
            "trained on": table["train"],
            "model": table["model"],
            "slope": [_slope(*values) for values in ends],
            "deviation at 1 fs (meV/atom)": table["deviation"].map(_number),
            "departure (fs)": [
                f"none up to {largest:g}" if pd.isna(step) else f"{step:g}"
                for step, largest in zip(table["departure"], table["largest"], strict=True)
            ],
            "drift (meV/atom/ps)": table["drift"].map(_number),
            "drift ratio": table["drift_ratio"].map(_number),
            "velocity seeds": table["seeds"],
            "failed runs": table["failed"],
            "reason": table["reason"].fillna(""),
            "runs": table["origin"],
            "potential": table["potential"],
        }
    )
    return STYLE + str(shown.to_html(index=False, escape=False, border=0))


def _slope(value: float, low: float, high: float) -> str:
    if pd.isna(value):
        return "none"
    return f"{value:.3f}" + ("" if pd.isna(low) else f" <small>[{low:.3f}, {high:.3f}]</small>")


def _number(value: float) -> str:
    return "none" if pd.isna(value) else digits(value)
