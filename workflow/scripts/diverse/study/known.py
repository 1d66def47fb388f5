"""Results that are shown where they exist, and that no rule computes by itself."""

from __future__ import annotations

import re
from pathlib import Path

import pandas as pd

from diverse.labels.labellers import LabellerError, make_labeller
from diverse.labels.ledger.text import read_bytes
from diverse.study.settings import Config, variant_options

PROTOCOL = re.compile(rb" protocol=(\w+)")  # of a row of a ledger


def first_whole(*choices: list[Path]) -> list[Path]:
    """Return the first list of files that all exist; an empty list where no choice is whole.

    An empty choice is none.
    """
    return next((files for files in choices if files and all(map(Path.exists, files))), [])


def first_known(*paths: Path) -> Path | list[Path]:
    """Return the first of these files that exists; an empty list, which is no input, for none."""
    return next((path for path in paths if path.exists()), [])


def errors_of_same_labels(study: Config, table: Path, labels: Path) -> list[Path]:
    """Return a released table of label errors if it is of the variants of this study.

    Parameters
    ----------
    study : dict
        With its defaults.
    table : Path
        Released errors of variants, by their names.
    labels : Path
        Released ledger of the labels behind them.

    Returns
    -------
    list of Path
        The table, if every variant of the study has the protocol of some of these labels, and those
        that are compared stand in the table with the same reference; otherwise nothing.
    """
    variants = study.get("convergence", {"variants": {}})["variants"]
    if not variants or not table.exists():
        return []
    released = pd.read_csv(table, usecols=["variant", "against"]).itertuples(index=False, name=None)
    compared = {(name, " ".join(of["against"])) for name, of in variants.items() if of["against"]}
    protocols = {found.decode() for found in PROTOCOL.findall(read_bytes(labels))}
    return [table] if compared <= set(released) and _protocols(study) <= protocols else []


def _protocols(study: Config) -> set[str]:
    """Return the protocol of every variant; an empty text for one that cannot label here."""
    return {_protocol(options) for options in variant_options(study).values()}


def _protocol(options: Config) -> str:
    try:
        return make_labeller(options).protocol
    except LabellerError:
        return ""
