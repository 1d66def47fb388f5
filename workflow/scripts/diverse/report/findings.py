"""The findings of a study in words: the verdict on every claim, as the README shows them."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pandas as pd

from diverse.report.readings import WORDS

FINDINGS = re.compile(r"(?<=<!-- findings).*?(?=<!-- end of findings -->)", re.DOTALL)
TITLE = " of tables/claims.csv, written by snakemake release -->"


def findings(claims: pd.DataFrame) -> str:
    """Return the claims as a list in Markdown: name, verdict, and the sentence that reads it.

    Parameters
    ----------
    claims : DataFrame
        ``tables/claims.csv`` with columns ``claim``, ``quantity``, ``verdict`` and ``reading``.
    """
    return "\n".join(
        f"- **{claim_name(row)}: {row['verdict']}.** {_escaped(row['reading'])}"
        for row in claims.to_dict("records")
    )


def claim_name(row: Any) -> str:
    """Return the name of a claim with the quantity that it is about, if it is about one."""
    quantity = WORDS.get(row["quantity"])
    return f"{row['claim']}, {quantity}" if quantity else str(row["claim"])


def show_findings(readme: Path, claims: pd.DataFrame) -> None:
    """Write the findings between the two marks for them in the README."""
    shown = f"{TITLE}\n\n{findings(claims)}\n\n"
    readme.write_text(FINDINGS.sub(lambda _: shown, readme.read_text()))


def _escaped(text: Any) -> str:
    """Return a sentence whose names, which come from users, are no markup in Markdown."""
    return re.sub(r"([\\`*_\[\]<>|])", r"\\\1", "" if pd.isna(text) else str(text))
