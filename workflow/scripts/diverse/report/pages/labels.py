"""Pages of labels: their audit, their convergence, and the sentence that says their noise."""

from __future__ import annotations

from collections.abc import Mapping
from html import escape
from typing import Any

import pandas as pd

from diverse.labels.audit import verdict
from diverse.labels.convergence import MEASURES, summarise_errors, summarise_parts
from diverse.report.numbers import digits
from diverse.report.pages.html import STYLE


def audit_page(table: pd.DataFrame) -> str:
    """Return the audit as a page: the largest differences first, then every cell."""
    groups = table.assign(size=table["difference"].abs()).groupby(["dataset", "check"], sort=False)
    worst = groups.agg(
        labels=("size", "size"),
        largest=("size", "max"),
        limit=("limit", "first"),
        unit=("unit", "first"),
        within=("within", "all"),
    ).reset_index()
    parts = [STYLE, f"<p>{escape(verdict(table))}</p>"]
    for title, block in {"Largest differences": worst, "Every label": table}.items():
        parts.append(f"<h3>{title}</h3>")
        parts.append(block.to_html(index=False, border=0, float_format="{:.3g}".format))
    return "\n".join(parts)


def convergence_page(errors: pd.DataFrame) -> str:
    """Return the errors of all variants, and of each cell, as a page.

    Where labels have no stress, the page says so in its place.
    """
    names = MEASURES | {
        "largest_energy": "largest energy (meV/atom)",
        "pulay_energy": "Pulay energy (eV/atom)",
        "seconds": "core s per atom",
        "volume": "Å³/atom",
        "d_min": "shortest distance (Å)",
    }
    blocks = {
        "Root mean squares over the cells": summarise_errors(errors),
        "Data sets, and sizes of cells": summarise_parts(errors),
        "Every cell": errors.drop(columns=["pulay_energy", "against"]),
    }
    parts = [STYLE]
    for title, table in blocks.items():
        if table.empty:
            continue
        shown = table.rename(columns=names)
        parts.append(f"<h3>{title}</h3>")
        form = {"float_format": "{:.3g}".format, "na_rep": "no stress"}
        parts.append(shown.to_html(index=False, border=0, **form))
    return "\n".join(parts)


def noise_sentence(noise: pd.DataFrame) -> str:
    """Return the label noise of every labeller as one line each."""
    return "\n".join(map(_noise_of, noise.to_dict("records")))


def reference_name(against: str) -> str:
    """Return a reference as it is computed: ``a``, or ``a + b - c``."""
    first, *others = against.split()
    return first + "".join(f" {sign} {name}" for sign, name in zip("+-", others, strict=False))


def _noise_of(line: Mapping[str, Any]) -> str:
    name = f"Label noise of {line['labeller']}"
    if not line["cells"]:
        return f"{name}: not measured."
    sizes = f"{line['cells']} cells of {line['smallest']:.0f} to {line['largest']:.0f} atoms"
    return (
        f"{name}: {digits(line['energy'], 2)} meV/atom, {digits(line['force'], 2)} meV/Å "
        f"(rms of {sizes} against {reference_name(line['against'])})."
    )
