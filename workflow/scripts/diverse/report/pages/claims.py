"""The claims of a study as a table in HTML: what is claimed, what was found, and the verdict."""

from __future__ import annotations

from collections.abc import Mapping
from html import escape
from typing import Any

import pandas as pd

from diverse.report.findings import claim_name
from diverse.report.pages.sortable import interval_cell

# Read without colours, too: every verdict is a sign and its word.
SIGNS = {
    **{"reproduced": "✓", "not reproduced": "✗", "undecided": "?", "no data": "–"},
    **{"yes": "✓", "no": "✗"},  # of the question on universal potentials
}
COLUMNS = ("Claim", "It says", "Effect", "Verdict", "Reading", "Look")
NOTHING = "<p>This study compares no training sets, so it says nothing on the claims.</p>"
CAPTION = (
    "Effect: a ratio, of the set that is named first over the second: of the errors of models "
    "trained on them, on the same test cells; for C3 of their spread over forms of model. With its "
    "95 % interval; above 1 the second set is better. For C4 it is the power of the time step with "
    "which the deviation of the energy rises, 2 for second order. Universal: of the errors of a "
    "potential that was not trained here over those of models trained on the set."
)


def claims_table(claims: pd.DataFrame | None, *, links: bool = True) -> str:
    """Return the claims with their verdicts as a table that sorts; a sentence where there are none.

    On a narrow screen the style of the page shows every row as a card, hence the names of columns
    in the cells, and the roles, which tables lose that are not displayed as such.

    Parameters
    ----------
    claims : DataFrame or None
        ``tables/claims.csv``.
    links : bool
        Link to the table and the figure of every claim, by paths from the folder of the study.
    """
    if claims is None or claims.empty:
        return NOTHING
    columns = COLUMNS if links else COLUMNS[:-1]
    head = "".join(f'<th scope="col" role="columnheader">{name}</th>' for name in columns)
    caption = f"{CAPTION} {_link('tables/claims.csv', 'tables/claims.csv')}" if links else CAPTION
    rows = "\n".join(_row(row, columns) for row in claims.to_dict("records"))
    return (
        f'<table class="claims sortable whole" role="table">\n<caption>{caption}</caption>\n'
        f'<thead role="rowgroup"><tr role="row">{head}</tr></thead>\n'
        f'<tbody role="rowgroup">\n{rows}\n</tbody></table>'
    )


def verdict_mark(verdict: str) -> str:
    """Return a verdict as its sign and its word; the sign is not read aloud."""
    word = escape(verdict)
    sign = f'<span aria-hidden="true">{SIGNS.get(verdict, "")}</span>'
    return f'<span class="verdict {word.replace(" ", "-")}">{sign} {word}</span>'


def _row(row: Mapping[str, Any], columns: tuple[str, ...]) -> str:
    effect = interval_cell(row["effect"], row["ci_low"], row["ci_high"])
    sets = [_text(row[name]) for name in ("train", "reference", "test")]
    pair = "<br><small>{} / {} on {}</small>".format(*sets) if all(sets) else ""
    definition = f"<details><summary>Definition</summary>{_text(row['definition'])}</details>"
    cells = {
        "Claim": f"<td><b>{escape(claim_name(row))}</b>{pair}</td>",
        "It says": f"<td>{_text(row['statement'])}{definition}</td>",
        "Effect": effect,
        "Verdict": f"<td>{verdict_mark(row['verdict'])}</td>",
        "Reading": f"<td>{_text(row['reading'])}</td>",
        "Look": f"<td>{_link(row['table'], 'rows')}{_link(row['figure'], 'figure')}</td>",
    }
    shown = (
        cells[name].replace("<td", f'<td role="cell" data-name="{name}"', 1) for name in columns
    )
    return f'<tr role="row">{"".join(shown)}</tr>'


def _link(path: Any, name: str) -> str:
    return f'<a href="{escape(path)}">{name}</a> ' if isinstance(path, str) and path else ""


def _text(value: Any) -> str:
    return escape(value) if isinstance(value, str) else ""
