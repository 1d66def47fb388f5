"""The data card of a study's labels: what they are, how good, and what they cost."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from jinja2 import Environment, StrictUndefined

from diverse.errors.curves import last_steps
from diverse.labels.convergence import summarise_errors, summarise_parts
from diverse.labels.facts import LabelFacts
from diverse.labels.labellers import make_labeller
from diverse.report.model_card import settings_rows
from diverse.report.numbers import digits
from diverse.report.pages.datasets import MEASURES
from diverse.report.pages.labels import noise_sentence, reference_name
from diverse.report.steps import flat_words, step_table
from diverse.seals import sha256_of
from diverse.structures.comment_line import one_line
from diverse.structures.frames import read_frames
from diverse.study.settings import Config, labeller_options

two_digits = partial(digits, significant=2)

OTHER = (
    "These labels were made with other settings or versions than those of the study now: what they "
    "are is not known here."
)


@dataclass(frozen=True)
class Tables:
    """Tables of the study that the card quotes.

    Attributes
    ----------
    noise : DataFrame
        Table that `diverse.labels.convergence.label_noise` returns.
    errors : DataFrame or None
        Table that `diverse.labels.convergence.compare` returns; None where convergence
        was not measured.
    diversity : DataFrame
        The study's table of diversity.
    curves : DataFrame or None
        Table that `diverse.errors.curves.learning_curves` returns; None without learning curves.
    """

    noise: pd.DataFrame
    errors: pd.DataFrame | None
    diversity: pd.DataFrame
    curves: pd.DataFrame | None = None


def data_card(
    template: str, files: Mapping[str, Path], study: Config, schema: Config, tables: Tables
) -> str:
    """Return the data card, Markdown.

    Parameters
    ----------
    template : str
        The prose, for Jinja.
    files : dict of str to Path
        Ledger of each labelled data set.
    study, schema : dict
        The study with every default, and the schema that describes its keys.
    tables : Tables
    """
    rows = {
        name: [LabelFacts.of(frame.cell()) for frame in read_frames([path])]
        for name, path in files.items()
    }
    steps = pd.DataFrame() if tables.curves is None else last_steps(tables.curves)
    page = Environment(undefined=StrictUndefined, keep_trailing_newline=True).from_string(template)
    return page.render(
        study=study["study"],
        element=study["element"],
        first=next(iter(files.values())).name,
        **_totals([label for members in rows.values() for label in _labelled(members)]),
        composition=_markdown(composition(rows, study)),
        ranges=_markdown(ranges(rows)),
        diversity=_markdown(equal_diversity(tables.diversity)),
        protocols=list(_protocols(rows, study, schema)),
        noise=noise_sentence(tables.noise),
        errors="" if tables.errors is None else _markdown(_errors(tables.errors)),
        parts="" if tables.errors is None else _markdown(_parts(tables.errors)),
        variants=_markdown(_variants(study)),
        steps=_markdown(step_table(steps)),
        flat="" if steps.empty else flat_words(steps),
        failures=_failures(rows),
        files=_markdown(_checksums(files)),
    )


def _totals(labelled: Sequence[LabelFacts]) -> dict[str, Any]:
    """Return the numbers of all labels together that the prose quotes."""
    sizes = [label.n_atoms for label in labelled]
    with_stress = sum(label.has_stress for label in labelled)
    return {
        "cells": f"{len(sizes):,}",
        "environments": f"{sum(sizes):,}",
        "smallest": min(sizes),
        "largest": max(sizes),
        "closest": f"{min(label.info['d_min'] for label in labelled):.2f}",
        "with_stress": with_stress > 0,
        "stress": _stress_words(with_stress, len(sizes)),
        "dft": any(label.info["labeller"] == "gpaw" for label in labelled),
    }


def composition(rows: Mapping[str, Sequence[LabelFacts]], study: Config) -> pd.DataFrame:
    """Return size, use and failures of each data set."""
    lines = []
    for name, members in rows.items():
        labelled = _labelled(members)
        sizes = [label.n_atoms for label in labelled]
        failed = len(members) - len(labelled)
        lines.append(
            {
                "data set": name,
                "family": study["datasets"][name]["family"],
                "use": study["datasets"][name]["use"].replace("_", " "),
                "cells": len(labelled),
                "environments": sum(sizes),
                "atoms in a cell": _range(sizes, "{:d}"),
                "failed": f"{failed} of {len(members)} ({failed / max(len(members), 1):.1%})",
                "more than one attempt": sum(row.info["attempts"] > 1 for row in members),
            }
        )
    return pd.DataFrame(lines)


def ranges(rows: Mapping[str, Sequence[LabelFacts]]) -> pd.DataFrame:
    """Return the ranges of the labels of each data set, and what they cost."""
    lines = []
    for name, members in rows.items():
        labelled = _labelled(members)
        if not labelled:
            continue
        forces = np.concatenate([label.forces for label in labelled])
        energies = [label.energy for label in labelled]
        seconds = sum(row.info["seconds"] for row in members)
        lines.append(
            {
                "data set": name,
                "free energy": _range(energies, "{:.2f}"),
                "force component, rms": f"{np.sqrt((forces**2).mean()):.2f}",
                "largest force": f"{np.linalg.norm(forces, axis=1).max():.2f}",
                "shortest distance": _range([label.info["d_min"] for label in labelled], "{:.2f}"),
                "volume": _range([label.volume for label in labelled], "{:.1f}"),
                "iterations": _range([label.info["iterations"] for label in labelled], "{:d}"),
                "core s/atom": f"{seconds / sum(row.n_atoms for row in members):.2g}",
            }
        )
    return pd.DataFrame(lines)


def equal_diversity(diversity: pd.DataFrame) -> pd.DataFrame:
    """Return every measure of one set, at equal numbers of environments, a column a set."""
    part = diversity[(diversity["environments"] == "equal") & (diversity["other"] == "")]
    table: dict[str, dict[str, Any]] = {}
    for line in part.to_dict("records"):
        setting = f"{line['setting']}, {line['n']} environments"
        first = {"measure": MEASURES.get(line["measure"], line["measure"]), "setting": setting}
        row = table.setdefault(f"{line['measure']} ({setting})", first)
        spread = "" if np.isnan(line["spread"]) else f" ± {line['spread']:.2g}"
        row[line["dataset"]] = f"{line['value']:.3g}{spread}"
    return pd.DataFrame(list(table.values()))


def _protocols(
    rows: Mapping[str, Sequence[LabelFacts]], study: Config, schema: Config
) -> Iterator[dict[str, str]]:
    """Yield the facts that the template states of each labeller in use."""
    users: dict[str, list[str]] = {}
    for name in rows:
        users.setdefault(study["datasets"][name].get("labeller", study["labeller"]), []).append(
            name
        )
    for labeller, sets in users.items():
        made = make_labeller(options := labeller_options(study, sets[0]))
        infos = [row.info for name in sets for row in rows[name]]
        found = sorted({info["protocol"] for info in infos})
        made_of = [
            {"made of": key, "": ", ".join(sorted({info.get(key, "") for info in infos}))}
            for key in made.provenance
        ]
        yield {
            "name": labeller,
            "sets": ", ".join(sets),
            "hash": "`, `".join(found),
            "made_of": _markdown(pd.DataFrame(made_of)),
            "settings": _settings(options, schema) if found == [made.protocol] else OTHER,
        }


def _settings(options: Config, schema: Config) -> str:
    lines = pd.DataFrame(settings_rows(schema, options["kind"], options))
    return _markdown(lines.rename(columns={"name": "setting"}))


def _errors(errors: pd.DataFrame) -> pd.DataFrame:
    summary = summarise_errors(errors)
    return pd.DataFrame(
        {
            "variant": summary["variant"],
            "against": summary["against"].map(reference_name),
            "cells": summary["cells"],
            "energy (meV/atom)": summary["energy"].map(two_digits),
            "force (meV/Å)": summary["force"].map(two_digits),
            "stress (GPa)": summary["stress"].map(_stress_error),
            "stress, Pulay corrected (GPa)": summary["stress_corrected"].map(_stress_error),
        }
    )


def _parts(errors: pd.DataFrame) -> pd.DataFrame:
    parts = summarise_parts(errors)
    return pd.DataFrame(
        {
            "variant": parts["variant"],
            "cells of": parts["part"],
            "cells": parts["cells"],
            "energy (meV/atom)": parts["energy"].map(two_digits),
            "force (meV/Å)": parts["force"].map(two_digits),
            "stress (GPa)": parts["stress"].map(_stress_error),
        }
    )


def _stress_words(known: int, cells: int) -> str:
    """Return the end of the sentence on units."""
    if not known:
        return "(no label has a stress: the calculator gives energies and forces)."
    some = f", which {known} of {cells} labels have," if known < cells else ""
    return f"and eV/Å³; the stress{some} has ASE's sign and order."


def _stress_error(value: float) -> str:
    return "no stress" if np.isnan(value) else two_digits(value)


def _variants(study: Config) -> pd.DataFrame:
    """Return how each variant of the convergence study departs from its labeller."""
    block = study.get("convergence", {"variants": {}})
    lines = [
        {
            "variant": name,
            "labeller": entry.get("labeller", block["labeller"]),
            "other settings": "; ".join(f"{k} {_plain(v)}" for k, v in entry["settings"].items()),
        }
        for name, entry in block["variants"].items()
    ]
    return pd.DataFrame(lines)


def _failures(rows: Mapping[str, Sequence[LabelFacts]]) -> str:
    failed = [
        {
            "data set": name,
            "cause": one_line(row.info["cause"]).replace("|", "\\|"),
            "attempts": row.info["attempts"],
        }
        for name, members in rows.items()
        for row in members
        if not row.labelled
    ]
    if not failed:
        return "Nothing: every cell in these files has its label."
    groups = pd.DataFrame(failed).groupby(["data set", "cause", "attempts"], sort=False)
    return _markdown(groups.size().rename("cells").reset_index())


def _checksums(files: Mapping[str, Path]) -> pd.DataFrame:
    lines = [
        {
            "file": path.name,
            "bytes": path.stat().st_size,
            "SHA-256": sha256_of(path),
        }
        for path in files.values()
    ]
    return pd.DataFrame(lines)


def _labelled(rows: Sequence[LabelFacts]) -> list[LabelFacts]:
    return [row for row in rows if row.labelled]


def _range(values: Sequence[float], form: str) -> str:
    if not values:
        return ""
    low, high = form.format(min(values)), form.format(max(values))
    return low if low == high else f"{low} to {high}"


def _plain(value: Any) -> str:
    """Write a value of the study file in one line."""
    if isinstance(value, dict):
        return ", ".join(f"{key}: {entry}" for key, entry in value.items())
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)


def _markdown(table: pd.DataFrame) -> str:
    """Return a table as Markdown; nothing for an empty one."""
    if table.empty:
        return ""
    return str(table.to_markdown(index=False, disable_numparse=True))
