"""The page that is read first: the question, the verdicts, and how sure they are."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from html import escape
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pandas as pd
from docutils.core import publish_parts
from jinja2 import Environment, StrictUndefined

from diverse.report.pages.claims import claims_table
from diverse.report.pages.sortable import library, sortable_table

QUESTION = (
    "Does a training set made diverse on purpose give machine-learned interatomic potentials that "
    "transfer better than one curated by experts, and by how much?"
)
SECTIONS = {
    "answer": "The answer",
    "figures": "In figures",
    "certainty": "How sure, and why",
    "physics": "Potentials at work",
    "tables": "All numbers",
    "files": "More",
}
TABLES = {  # captions, by the stem of a table's name; the claims stand in the answer
    "theta": "Effects: the error of one training set over that of the reference set on each test "
    "set, averaged over groups of cells, forms and classes of models, and draws; in brackets the "
    "95 % interval.",
    "ratios": "The same for every form of model.",
    "mixtures": "Cells added to a set, or put in the place of some of it: error over that of the "
    "set alone; in brackets one standard deviation over draws, downwards and upwards.",
    "baselines": "The same for training sets that were chosen in another way.",
    "sensitivity": "Effects with other weights of energies against forces in training; in brackets "
    "one standard deviation over draws.",
    "cell_sizes": "Larger cells: the error on cells with more atoms than any test cell of a "
    "training set, over the error on its own test cells of the same kinds; in brackets the 95 % "
    "interval.",
    "dynamics": "Energy conservation in dynamics: the power of the time step with which the "
    "deviation rises; in brackets the 95 % interval over velocity seeds.",
    "ramps": "Ramps of temperature and pressure: how many runs failed, where the first of them "
    "ended and why; novelty (whitened units) of the runs that failed, or of all; failures that it "
    "warned of, the time from there to the failure (fs), and runs with novelty above its threshold "
    "that did not fail.",
    "transferability": "Errors of every model on every test set; in brackets the 95 % interval "
    "over test cells alone. At the end reference models, which were not trained here: their "
    "energies after one constant per atom.",
    "ace": "Fits of ACE, whose package is in an extra environment (./envs/run --with ace): "
    "computed by this run, or released, which this run did not make.",
    "reference_models": "The same test sets by potentials that were not trained here, whose data "
    "and functional differ from the labels here: errors after one constant per atom (eV/atom), and "
    "over those of models trained on each set; in brackets the 95 % interval. Released ones were "
    "not asked by this run.",
    "training_sets": "Sources of every training set, draw by draw.",
    "datasets": "Labelled cells of every data set.",
}
ALTS = {  # what stands for a figure where it is not seen
    "ratios": "Dots: the error of every form of model trained on one set over that of the same "
    "form trained on the reference set, by test set. The numbers are in the tables below.",
    "dynamics": "Lines: the deviation of the total energy against the time step, one line a "
    "potential. The numbers are in tables/dynamics.csv.",
    "ramps": "Curves: the part of the runs that go on along ramps of temperature and pressure, and "
    "the novelty of each run. The numbers are in tables/ramps.csv.",
    "mixtures": "Curves: the change of errors when cells of another set are added to the expert "
    "set. The numbers are in tables/mixtures.csv.",
}
LINKS = {
    "report.html": "Snakemake's report: every figure and table, with the code, the settings and "
    "the run time behind it",
    "labels/README.md": "the data card of the labels: protocol, noise, failures, cost",
    "potentials/": "every model as a potential for LAMMPS and Python, with its model card",
    "tables/": "all tables; scores.csv holds one error a row",
    "figures/": "all figures",
    "manifest.csv": "SHA-256 of every file",
}


@dataclass(frozen=True)
class Picture:
    """A figure of the page.

    Attributes
    ----------
    path : Path
        PNG file.
    caption : str
        HTML.
    findings : iterable of str
        Sentences above the caption that say what the figure shows, plain text.
    """

    path: Path
    caption: str
    findings: Iterable[str] = ()

    def html(self) -> str:
        """Return the figure as part of a page, with its bytes."""
        data = b64encode(self.path.read_bytes()).decode()
        findings = f"<p>{escape(' '.join(self.findings))}</p>" if self.findings else ""
        return (
            f'<figure><a href="figures/{self.path.name}"><img src="data:image/png;base64,{data}" '
            f'alt="{escape(ALTS[self.path.stem])}"></a>'
            f"<figcaption>{findings}{self.caption}</figcaption></figure>"
        )


@dataclass(frozen=True)
class Contents:
    """Contents of the page.

    Attributes
    ----------
    pictures : iterable of Picture
        Figures, in their order.
    certainty : iterable of str
        Of `diverse.report.certainty.certainty`.
    tables : mapping of str to DataFrame
        By the stem of the name of their file, in their order; those without a row are not shown.
    physics : str
        Of `diverse.report.pages.physics.known_physics`; empty where nothing is known.
    """

    pictures: Iterable[Picture]
    certainty: Iterable[str]
    tables: Mapping[str, pd.DataFrame]
    physics: str = ""


def index_page(template: str, study: Mapping[str, Any], contents: Contents) -> str:
    """Return the page: one file that needs no other and no network.

    Parameters
    ----------
    template : str
        Jinja template with ``question``, ``study``, ``library`` and ``sections``.
    study : mapping
        Study file; its name and element are shown.
    contents : Contents
        Contents of the page.
    """
    blocks = {
        "answer": claims_table(contents.tables.get("claims")),
        "figures": "\n".join(picture.html() for picture in contents.pictures),
        "certainty": _listed(map(escape, contents.certainty)),
        "physics": contents.physics,
        "tables": "\n".join(
            sortable_table(table, f"{TABLES[name]} {_link(f'tables/{name}.csv')}")
            for name, table in contents.tables.items()
            if name in TABLES and len(table)
        ),
        "files": _listed(f"{_link(path)}: {text}" for path, text in LINKS.items()),
    }
    page = Environment(undefined=StrictUndefined, autoescape=True).from_string(template)
    return page.render(
        question=QUESTION,
        study=study,
        library=library(),
        sections=[(name, SECTIONS[name], block) for name, block in blocks.items() if block],
    )


def caption_html(path: Path, study: Mapping[str, Any]) -> str:
    """Return a caption of the report, reStructuredText with Jinja, as HTML."""
    template = Environment(undefined=StrictUndefined).from_string(path.read_text())
    text = template.render(snakemake=SimpleNamespace(config=study))
    settings = {"report_level": 3, "halt_level": 3, "file_insertion_enabled": False}
    return publish_parts(text, writer="html", settings_overrides=settings)["fragment"]


def _listed(items: Iterable[str]) -> str:
    return "<ul>\n" + "\n".join(f"<li>{item}</li>" for item in items) + "\n</ul>"


def _link(path: str) -> str:
    return f'<a href="{path}">{path}</a>'
