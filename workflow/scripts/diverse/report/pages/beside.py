"""Page of two studies: their claims side by side, what they differ in, and sets of equal size."""

from __future__ import annotations

import pandas as pd

from diverse.report.numbers import digits, interval
from diverse.report.pages.html import STYLE, escaped

DIFFERENCES = """<p>The rules that give the verdicts are the same, and so are the names of the
sets. Where verdicts differ, these differences may be why; none was varied alone:</p>
<ul><li><i>Labels</i>: a reference potential is smooth and has no noise; models may come
closer to it than to DFT, and the noise of DFT labels, alike for all sets, draws ratios to 1.</li>
<li><i>Size</i>: with more environments of its own kind a set leaves the form of the model as the
only limit; the table of equal sizes shows how ratios change with the number alone.</li>
<li><i>Cells</i>: in a small cell an atom sees its own images, and the environments of one cell
resemble each other; as many environments of larger cells are of more kinds.</li></ul>"""
SIZES = """<p>Errors on neutral ground over those of models trained on as many environments of
{reference}: above 1, {reference} is better. If ratios near 1 with growing size, size makes up for
diversity; if they stay or grow, it does not. In the last column each set is whole, whatever its
size.</p>"""


def beside_page(claims: pd.DataFrame, facts: pd.DataFrame, sizes: pd.DataFrame) -> str:
    """Return the page.

    Parameters
    ----------
    claims, facts, sizes : DataFrame
        Of `claims_beside`, of `set_facts` of both studies, and of `equal_sizes`, which may be
        empty; see `diverse.errors.beside`.
    """
    own, other = facts["study"].iloc[0], facts["study"].iloc[-1]
    names = {"train": "training set", "atoms_per_cell": "atoms in a cell"}
    shown = facts.rename(columns=names).to_html(
        index=False, border=0, float_format="{:,.0f}".format
    )
    parts = [
        STYLE,
        f"<h3>Claims of {own}, beside those of {other}</h3>",
        _claims(claims, own, other),
    ]
    parts += ["<h3>What the studies differ in</h3>", shown, DIFFERENCES]
    if len(sizes):
        reference = (set(facts["train"]) - set(sizes["of"])).pop()
        parts += ["<h3>Training sets of equal size</h3>", SIZES.format(reference=reference)]
        parts.append(_sizes(sizes))
    return "\n".join(parts)


def _claims(claims: pd.DataFrame, own: str, other: str) -> str:
    rows = []
    for entry in escaped(claims).to_dict("records"):
        sets = [entry[name] for name in ("train", "reference", "test")]
        pair = "{} / {} on {}".format(*sets) if all(isinstance(name, str) for name in sets) else ""
        row = {"claim": entry["claim"], "of": entry["quantity"], "": f"<small>{pair}</small>"}
        for name, prefix in ((own, ""), (other, "other_")):
            ends = (entry[f"{prefix}{key}"] for key in ("effect", "ci_low", "ci_high"))
            row[f"effect, {name}"] = interval(*ends)
            row[f"verdict, {name}"] = entry[f"{prefix}verdict"]
        rows.append({**row, "verdicts": entry["agreement"]})
    return pd.DataFrame(rows).to_html(index=False, escape=False, border=0, na_rep="")


def _sizes(sizes: pd.DataFrame) -> str:
    rows: dict[tuple[str, str, str], dict[str, str]] = {}
    for entry in escaped(sizes).to_dict("records"):
        row = rows.setdefault((entry["quantity"], entry["of"], entry["model"]), {})
        row[entry["size"]] = digits(entry["ratio"])
    shown = pd.DataFrame.from_dict(rows, orient="index")
    shown.index = pd.MultiIndex.from_tuples(shown.index, names=["quantity", "set", "model"])
    order = sorted(shown.columns, key=lambda name: (name == "whole", len(name), name))
    return str(shown[order].sort_index().reset_index().to_html(index=False, border=0, na_rep=""))
