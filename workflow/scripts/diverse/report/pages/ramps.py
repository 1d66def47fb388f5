"""Page of ramps: how far every potential gets, and whether novelty warns before it fails."""

from __future__ import annotations

import pandas as pd

from diverse.dynamics.survival import warnings_of
from diverse.report.numbers import digits
from diverse.report.pages.html import STYLE, escaped
from diverse.report.survival import ramp_sentences


def ramps_page(table: pd.DataFrame) -> str:
    """Return the ramps as a page: in words, by training set, and one row a ramp of a potential.

    Parameters
    ----------
    table : DataFrame
        Of `diverse.dynamics.survival.survival_table`, with ``same_potential`` and ``origin``.
    """
    table = escaped(table)
    said = "".join(f"<p>{sentence}</p>\n" for sentence in ramp_sentences(table))
    return STYLE + said + _html(_by_training_set(table)) + _html(_by_ramp(table))


def _by_training_set(table: pd.DataFrame) -> pd.DataFrame:
    names = {
        **{"train": "trained on", "runs": "runs", "failed": "failed"},
        "warned": "novelty above the threshold before the failure",
        **{"survived": "not failed", "alarmed": "novelty above the threshold"},
    }
    return warnings_of(table).rename(columns=names)[list(names.values())]


def _by_ramp(table: pd.DataFrame) -> pd.DataFrame:
    return pd.DataFrame(
        {
            **{"trained on": table["train"], "model": table["model"]},
            "ramp": table["ramp"] + " <small>" + table["course"] + "</small>",
            "failed": [
                f"{n} of {of}" for n, of in zip(table["failed"], table["runs"], strict=True)
            ],
            "first end (part of the ramp)": table["reached"].map(_number),
            "temperature there (K)": table["temperature"].map(_number),
            "pressure there (GPa)": table["pressure"].map(_number),
            "reason": table["reason"].fillna(""),
            "threshold of novelty": table["threshold"].map(_number),
            "novelty at the start": table["novelty_0"].map(_number),
            "a tenth before the end": table["novelty_before"].map(_number),
            "at the end": table["novelty_end"].map(_number),
            "largest": table["novelty_largest"].map(_number),
            "failures warned of": table["warned"],
            "warned before (fs)": table["lead"].map(_number),
            "false alarms": table["alarmed"],
            **{"runs": table["origin"], "potential": table["potential"]},
        }
    )


def _number(value: float) -> str:
    return "none" if pd.isna(value) else digits(value)


def _html(table: pd.DataFrame) -> str:
    return str(table.to_html(index=False, escape=False, border=0))
