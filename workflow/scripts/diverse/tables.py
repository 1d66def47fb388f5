"""Tables as HTML pages for the report."""

from __future__ import annotations

import pandas as pd

STYLE = """<!DOCTYPE html><meta charset="utf-8"><style>
body {font: 14px sans-serif; margin: 1.5em}
table {border-collapse: collapse; margin-bottom: 2em}
th, td {padding: .35em .8em; border-bottom: 1px solid #ddd; text-align: right}
th {background: #f4f4f4}
small {color: #666}
</style>"""


def transferability_page(table: pd.DataFrame) -> str:
    """Return the transferability table as a page: one block per quantity and metric."""
    tests = [c for c in table.columns[5:] if not c.endswith(("_low", "_high"))]
    parts = [STYLE]
    for (quantity, metric, unit), block in table.groupby(["quantity", "metric", "unit"], sort=True):
        shown = block[["train", "model"]].rename(columns={"train": "trained on"})
        for test in tests:
            shown[f"on {test}"] = [
                _interval(*row)
                for row in block[[test, f"{test}_low", f"{test}_high"]].itertuples(index=False)
            ]
        parts.append(f"<h3>{metric.upper()} of {quantity} ({unit})</h3>")
        parts.append(shown.to_html(index=False, escape=False, border=0))
    return "\n".join(parts)


def datasets_page(summary: pd.DataFrame) -> str:
    """Return the summary of the data sets as a page."""
    names = {
        "log_det": "log det",
        "nn_entropy": "nearest-neighbour entropy (nats)",
        "effective_rank": "effective rank",
        "d_min": "shortest distance (Å)",
        "energy_low": "lowest energy (eV/atom)",
        "energy_high": "highest energy (eV/atom)",
        "force_rms": "force rms (eV/Å)",
        "seconds": "labelling (core s)",
    }
    shown = summary.rename(columns=names).set_index("dataset").T
    return STYLE + shown.to_html(border=0, float_format="{:.4g}".format)


def _interval(value: float, low: float, high: float) -> str:
    return f"<b>{value:.3g}</b> <small>[{low:.3g}, {high:.3g}]</small>"
