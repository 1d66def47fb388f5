"""Summary of the data sets, and tables as HTML pages for the report."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
from ase import Atoms

from diverse.comparison import NOTHING

STYLE = """<!DOCTYPE html><meta charset="utf-8"><style>
body {font: 14px sans-serif; margin: 1.5em}
table {border-collapse: collapse; margin-bottom: 2em}
th, td {padding: .35em .8em; border-bottom: 1px solid #ddd; text-align: right}
th {background: #f4f4f4}
small {color: #666}
</style>"""


MEASURES = {
    "log_det": "log det of the covariance",
    "effective_rank": "effective rank",
    "distinct": "distinct environments",
    "nn_entropy": "nearest-neighbour entropy",
    "quests_entropy": "QUESTS entropy",
    "quests_diversity": "QUESTS diversity",
    "quests_overlap": "QUESTS overlap",
    "nn_distance": "distance to the nearest environment",
}


def transferability_page(table: pd.DataFrame, noise: str) -> str:
    """Return the transferability table as a page: one block per quantity and metric.

    `noise` says, one line a labeller, how large the noise of the labels is.
    """
    tests = [c for c in table.columns[5:] if not c.endswith(("_low", "_high"))]
    parts = [STYLE, *(f"<p>{line}</p>" for line in noise.splitlines())]
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


def shifts_page(scores: pd.DataFrame) -> str:
    """Return the constants taken off predicted energies as a block of a page, if there are any."""
    energy = (scores["quantity"] == "energy") & (scores["metric"] == "rmse")
    shown = scores[scores["energy_aligned"] & energy & (scores["group"] == "all")]
    shown = shown[shown["seed"] == "all"]
    if shown.empty:
        return ""
    wide = shown.pivot(index=["train", "model"], columns="test", values="energy_shift")
    wide = wide.rename_axis(index={"train": "trained on"}).add_prefix("on ").reset_index()
    title = "Constant taken off the predicted energies (eV/atom)"
    body = wide.to_html(index=False, border=0, na_rep="", float_format="{:.4f}".format)
    return f"<h3>{title}</h3>{body}"


def groups_page(table: pd.DataFrame) -> str:
    """Return the errors of groups as a page: one block per test set and quantity.

    The lowest error among the training sets of each model is bold; errors of forces that symmetry
    makes zero are 0.
    """
    parts = [STYLE]
    models = pd.MultiIndex.from_tuples(
        [tuple(column.split("/")[::-1]) for column in table.columns[5:]],
        names=["model", "trained on"],
    )
    for (test, quantity, unit), block in table.groupby(["test", "quantity", "unit"], sort=False):
        errors = block[table.columns[5:]].set_axis(models, axis=1)
        errors = errors.where(errors > NOTHING, 0)
        lowest = errors.T.groupby(level="model").transform("min").T
        texts = errors.map(_digits)
        shown = texts.where((errors > lowest) | (errors == 0), "<b>" + texts + "</b>")
        shown.index = pd.MultiIndex.from_frame(
            block[["group", "n_cells"]], names=["group", "cells"]
        )
        parts.append(f"<h3>RMSE of {quantity} on {test} ({unit})</h3>")
        parts.append(shown.to_html(escape=False, border=0))
    return "\n".join(parts)


def ratios_page(ratios: pd.DataFrame, verdicts: pd.DataFrame) -> str:
    """Return the counts of verdicts, then every ratio with its interval: bold if it excludes 1."""
    names = {"train": "trained on", "better": "better in", "worse": "worse in"}
    parts = [STYLE]
    for quantity, block in verdicts.groupby("quantity", sort=False):
        counts = block.drop(columns="quantity").rename(columns=names).set_index("test")
        parts.append(f"<h3>RMSE of {quantity}, over that of the reference set: all models</h3>")
        parts.append(counts.to_html(border=0, float_format="{:.3g}".format))
    sure = (ratios["ci_high"] < 1) | (ratios["ci_low"] > 1)
    texts = [_digits(value) for value in ratios["ratio"]]
    intervals = zip(ratios["ci_low"].map(_digits), ratios["ci_high"].map(_digits), strict=True)
    shown = ratios.assign(
        cell=[
            f"{f'<b>{text}</b>' if bold else text} <small>[{low}, {high}]</small>"
            for text, bold, (low, high) in zip(texts, sure, intervals, strict=True)
        ],
        test="on " + ratios["test"],
    )
    for quantity, block in shown.groupby("quantity", sort=False):
        wide = block.pivot(index=["model", "train"], columns="test", values="cell")
        wide = wide.loc[block.set_index(["model", "train"]).index.unique(), block["test"].unique()]
        wide = wide.rename_axis(index=names, columns=None).reset_index()
        parts.append(f"<h3>RMSE of {quantity}, over that of the reference set: every model</h3>")
        parts.append(wide.to_html(index=False, escape=False, border=0, na_rep=""))
    return "\n".join(parts)


def summarise(cells: dict[str, list[Atoms]]) -> pd.DataFrame:
    """Return one row per data set: its size, the ranges of its labels, and what they cost.

    Energies are free energies in eV/atom, forces in eV/Å, ``d_min`` (the shortest interatomic
    distance of all) in Å, ``seconds`` of one core.
    """
    rows = []
    for name, members in cells.items():
        energies = [c.get_potential_energy(force_consistent=True) / len(c) for c in members]
        forces = np.concatenate([c.get_forces() for c in members])
        rows.append(
            {
                "dataset": name,
                "cells": len(members),
                "environments": len(forces),
                "d_min": min(c.info["d_min"] for c in members),
                "energy_low": min(energies),
                "energy_high": max(energies),
                "force_rms": float(np.sqrt((forces**2).mean())),
                "seconds": sum(c.info["seconds"] for c in members),
            }
        )
    return pd.DataFrame(rows)


def datasets_page(summary: pd.DataFrame) -> str:
    """Return the summary of the data sets as a page."""
    names = {
        "d_min": "shortest distance (Å)",
        "energy_low": "lowest energy (eV/atom)",
        "energy_high": "highest energy (eV/atom)",
        "force_rms": "force rms (eV/Å)",
        "seconds": "labelling (core s)",
    }
    shown = summary.rename(columns=names).set_index("dataset").T
    return STYLE + shown.to_html(border=0, float_format="{:.4g}".format)


def search_page(table: pd.DataFrame) -> str:
    """Return the candidates of every search of loss weights as a page, one block a model."""
    parts = [STYLE]
    for model, block in table.groupby("model", sort=False):
        shown = pd.DataFrame(
            {
                "trained on": block["train"],
                "energy weight": block["energy_weight"].map("{:g}".format),
                "energy scale (eV/atom)": block["energy_scale"].map("{:g}".format),
                "RMSE of energy (meV/atom)": (1000 * block["energy_rmse"]).map("{:.1f}".format),
                "RMSE of forces (meV/Å)": (1000 * block["force_rmse"]).map("{:.0f}".format),
                "log ratio of their product": [
                    f"{ratio:.2f} <small>± {error:.2f}</small>"
                    for ratio, error in block[["log_ratio", "standard_error"]].to_numpy()
                ],
                "cells left out": block["n_cells"],
                "chosen": block["chosen"].map({True: "<b>chosen</b>", False: ""}),
            }
        ).replace({"nan": "none"})
        parts.append(f"<h3>{model}</h3>{shown.to_html(index=False, escape=False, border=0)}")
    return "\n".join(parts)


def read_diversity(path: str | Path) -> pd.DataFrame:
    """Read a table of diversity back; measures of one set have an empty ``other``."""
    return pd.read_csv(path).fillna({"other": ""})


def diversity_page(table: pd.DataFrame) -> str:
    """Return the table of diversity as a page: measures of each set, then of each pair."""
    parts = [STYLE]
    for environments, block in table.groupby("environments", sort=False):
        single, pairs = block[block["other"] == ""], block[block["other"] != ""]
        size = f"{single['n'].iloc[0]} environments of each"
        titles = {
            "all": ("all sampled environments",) * 2,
            "equal": (f"{size} set", f"{size} column"),
        }
        of_one, of_two = titles[str(environments)]
        parts.append(f"<h3>Diversity of each set, {of_one}</h3>")
        parts.append(_matrix(single.assign(row=_labels(single)), "row", "dataset"))
        parts.append(f"<h3>Coverage, {of_two}</h3>")
        for label, part in pairs.groupby(_labels(pairs), sort=False):
            covering = "covered by " + part["other"]
            parts.append(f"<p>{label}</p>{_matrix(part.assign(by=covering), 'dataset', 'by')}")
    return "\n".join(parts)


def ablation_page(summary: pd.DataFrame) -> str:
    """Return the ablation as a page: mean [95 % interval] of each set, then of each pair."""
    single, pairs = summary[summary["other"] == ""], summary[summary["other"] != ""]
    n, seeds = summary["n"].iloc[0], summary["seeds"].max()
    parts = [STYLE, f"<h3>Each set, {n} environments, {seeds} seeds</h3>"]
    parts.append(_matrix(single.assign(row=_labels(single)), "row", "dataset"))
    parts.append("<h3>Coverage of each other</h3>")
    for label, part in pairs.groupby(_labels(pairs), sort=False):
        covering = "covered by " + part["other"]
        parts.append(f"<p>{label}</p>{_matrix(part.assign(by=covering), 'dataset', 'by')}")
    return "\n".join(parts)


def calibration_page(table: pd.DataFrame) -> str:
    """Return actual over predicted errors as a page: one block a quantity, one column a test."""
    parts = [STYLE]
    for (quantity, unit), block in table[table["bin"] == 0].groupby(["quantity", "unit"]):
        rows: dict[tuple[str, str], dict[str, str]] = {}
        for entry in block.to_dict("records"):
            text = (
                f"<b>{entry['actual_over_predicted']:.3g}</b><br><small>{_digits(entry['actual'])}"
                f" / {_digits(entry['predicted'])}<br>n = {entry['n']}</small>"
            )
            rows.setdefault((entry["train"], entry["model"]), {})[f"on {entry['test']}"] = text
        shown = pd.DataFrame.from_dict(rows, orient="index")
        shown.index.names = ["trained on", "model"]
        parts.append(f"<h3>Actual over predicted errors of {quantity} ({unit})</h3>")
        parts.append(shown.to_html(escape=False, border=0, na_rep=""))
    return "\n".join(parts)


def _labels(block: pd.DataFrame) -> pd.Series:
    """Return what each row measures, with its settings and unit."""
    unit = block["unit"].replace({"1": ""}).map(lambda unit: unit and f", {unit}")
    return block["measure"].replace(MEASURES) + " (" + block["setting"] + unit + ")"


def _matrix(block: pd.DataFrame, rows: str, columns: str) -> str:
    """Return values as a table, with their standard deviation or interval where there is one."""
    shown: dict[str, dict[str, str]] = {}
    for entry in block.to_dict("records"):
        shown.setdefault(entry[columns], {})[entry[rows]] = _uncertain(entry)
    return str(pd.DataFrame(shown).to_html(border=0, escape=False, na_rep=""))


def _uncertain(entry: dict[str, float]) -> str:
    value = entry["value"]
    if np.isfinite(entry.get("ci_low", np.nan)):
        return _interval(value, entry["ci_low"], entry["ci_high"])
    text, spread = _digits(value), entry.get("spread", np.nan)
    return text if np.isnan(spread) else text + f" <small>± {spread:.2g}</small>"


def _interval(value: float, low: float, high: float) -> str:
    return f"<b>{_digits(value)}</b> <small>[{_digits(low)}, {_digits(high)}]</small>"


def _digits(value: float) -> str:
    """Write three significant digits, or all before the point, without an exponent."""
    return f"{value:.0f}" if abs(value) >= 1000 else f"{value:.3g}"
