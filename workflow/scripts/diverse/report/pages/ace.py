"""Page of the fits of ACE, and the sentence that says where they were made."""

from __future__ import annotations

import pandas as pd

from diverse.report.pages.html import STYLE, escaped

ASK = "./envs/run --with ace snakemake --cores all"
SOURCES = {
    "computed": "computed",
    "released": "released: made elsewhere, not by this run",
    "none": f"none; {ASK} makes them",
}
TITLES = {
    **{"model": "model", "train": "trained on", "source": "fits", "code": "made by"},
    **{
        "n_parameters": "coefficients",
        "fits": "number",
        "failures": "failed",
        "cause": "first cause",
    },
}


def ace_page(table: pd.DataFrame) -> str:
    """Return the table of `diverse.errors.ace.fits_table` as a page."""
    shown = table.assign(source=table["source"].map(SOURCES))
    shown["n_parameters"] = [f"{n:.0f}" if n > 0 else "" for n in table["n_parameters"]]
    shown = escaped(shown.rename(columns=TITLES))
    page: str = shown.to_html(index=False, escape=False, border=0, na_rep="")
    return f"{STYLE}\n{page}"


def origin_of_ace(table: pd.DataFrame) -> str:
    """Return one sentence for tables of errors: which rows are not of this run; none if all are."""
    sentences = {
        "released": "{} as released: fitted elsewhere, not by this run; {} fits here.",
        "none": "{} not fitted, and not released of these draws: {} fits here.",
    }
    found = []
    for source, sentence in sentences.items():
        models = table["model"][table["source"] == source].unique()
        if len(models):
            found.append(sentence.format(", ".join(models), ASK))
    return "\n".join(found)
