"""The graph of a study's stages: its rules, put together by the file they stand in."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Mapping
from dataclasses import dataclass
from html import escape
from pathlib import Path

RULE = re.compile(r"^(?:use )?rule (?:\w+ as )?(\w+)", re.MULTILINE)
TITLE = re.compile(
    r'"""(?:[^:\n]*: )?(.*?)[.:?]?\n'
)  # the first line of a docstring, less a heading
NODE = re.compile(r'^\s*(\d+)\[label = "(\w+)', re.MULTILINE)
EDGE = re.compile(r"^\s*(\d+) -> (\d+)", re.MULTILINE)
WIDTH = 34  # characters in a line of a stage's title


@dataclass(frozen=True)
class Stage:
    """One file of rules.

    Attributes
    ----------
    title : str
        What the first line of the file's docstring says.
    rules : list of str
        Names of its rules.
    """

    title: str
    rules: list[str]

    @classmethod
    def read(cls, path: Path) -> Stage:
        """Read a file of rules."""
        text = path.read_text()
        title = TITLE.match(text)
        return cls(title[1] if title else path.stem, RULE.findall(text))


def stage_graph(rulegraph: str, stages: Mapping[str, Stage]) -> tuple[str, str]:
    """Return the graph of stages for Graphviz, given Snakemake's graph of rules.

    Parameters
    ----------
    rulegraph : str
        Printed by ``snakemake --rulegraph dot``.
    stages : mapping of str to Stage
        By name, in their order. A stage none of whose rules is in the graph is left out.

    Returns
    -------
    graph : str
        Stages and the edges that run in their order, so that it has no cycle.
    back : str
        Lines of the edges that run back, dashed: a later stage serves a rule of an earlier one, as
        learning curves serve the card of the labels.
    """
    stage_of = {rule: name for name, stage in stages.items() for rule in stage.rules}
    node = {number: stage_of.get(rule) for number, rule in NODE.findall(rulegraph)}
    order = {name: place for place, name in enumerate(stages)}
    pairs = {(node[a], node[b]) for a, b in EDGE.findall(rulegraph)}
    edges = sorted((a, b) for a, b in pairs if a and b and a != b)
    shown = [name for name in stages if name in node.values()]
    graph = "\n".join(
        [
            "digraph stages {",
            'node [shape=box, style="rounded,filled", fillcolor="#f4f4f4", color="#666666",',
            'fontname="sans-serif", fontsize=11, margin="0.14,0.07"];',
            'edge [color="#666666", arrowsize=0.7]; nodesep=0.25; ranksep=0.28;',
            *(f"{name} [label=<{_label(name, stages[name].title)}>];" for name in shown),
            *(f"{before} -> {after};" for before, after in edges if order[before] < order[after]),
            "}",
        ]
    )
    back = [(a, b) for a, b in edges if order[a] > order[b]]
    return graph, "\n".join(f"{a} -> {b} [style=dashed, constraint=false];" for a, b in back)


def _label(name: str, title: str) -> str:
    """Return the label of a stage as Graphviz' HTML: its name, then its title in short lines."""
    lines = "<br/>".join(map(escape, textwrap.wrap(title[0].lower() + title[1:], WIDTH)))
    return f'<b>{name.replace("_", " ")}</b><br/><font point-size="9">{lines}</font>'
