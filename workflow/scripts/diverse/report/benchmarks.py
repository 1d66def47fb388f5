"""Rates beside those of peers as pages show them, and what they say of many nodes."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from diverse.report.marks import show_table
from diverse.report.numbers import digits

NAME, NODES_NAME, PROGRAM = "benchmarks", "many nodes", "snakemake benchmarks"
ENVIRONMENTS = 7e8  # a hundred sets of the paper's size
CHUNK = 35_000  # environments of a chunk: 1,000 cells of 35 atoms
BLOCKS = 64  # of normal equations, which are summed
COMPONENTS = 55  # D at 2Jmax 8
CORES = 64  # of a node
NODES = (1, 10, 100)


def read_benchmarks(path: Path) -> pd.DataFrame:
    """Return the table that ``snakemake benchmarks`` wrote, indexed by the names of its rows.

    Rates ``ours`` and ``theirs`` are in the ``unit`` of the row.
    """
    return pd.read_csv(path).set_index("name")


def comparison_text(table: pd.DataFrame) -> str:
    """Return the comparisons in Markdown, and a sentence that says where they were measured.

    Parameters
    ----------
    table : DataFrame
        Of `read_benchmarks`.
    """
    rows = [
        {
            "one core does": row["work"],
            "beside": row["peer"],
            "ours": f"{digits(row['ours'])} {row['unit']}",
            "theirs": digits(row["theirs"]),
            "ratio": f"{row['ratio']:.2f}",
            "aim": f"{row['target']:g}" if row["target"] > 0 else "",
        }
        for row in table.to_dict("records")
    ]
    shown = pd.DataFrame(rows).to_markdown(index=False, disable_numparse=True)
    return f"{shown}\n\n{_where(table)}"


def show_benchmarks(root: Path, table: Path) -> None:
    """Write what a table of benchmarks says into README.md and workflow/README.md of a clone."""
    rates = read_benchmarks(table)
    show_table(root / "README.md", NAME, PROGRAM, comparison_text(rates))
    nodes = many_nodes_text(many_nodes(rates))
    show_table(root / "workflow/README.md", NODES_NAME, PROGRAM, nodes)


def _where(table: pd.DataFrame) -> str:
    """Return the sentence about the machine, the day and the code."""
    sets = ", ".join(table["instruction_set"].dropna().unique())
    days = " and ".join(sorted(set(table["date"])))
    processors = ", ".join(table["processor"].unique())
    commits = ", ".join(commit[:10] for commit in table["commit"].unique())
    return (
        f"Measured on {processors} ({sets}), {days}, commit {commits}; other programs kept "
        f"{table['load'].min():g} to {table['load'].max():g} cores busy meanwhile."
    )


def many_nodes(table: pd.DataFrame) -> pd.DataFrame:
    """Return core-hours of the stages for `ENVIRONMENTS` environments, and hours on nodes.

    Parameters
    ----------
    table : DataFrame
        Of `read_benchmarks`: rates of one core in environments a second.

    Returns
    -------
    DataFrame
        Columns ``stage``, ``parts`` (jobs that it is divided into), ``passes_on`` (bytes that a job
        leaves to the next ones, but for its cells), ``core_hours``, and ``nodes_N``, the hours on
        N nodes if all parts run side by side: a job takes a core, so no more cores than parts are
        used.
    """
    quadratic = 1 + COMPONENTS + COMPONENTS * (COMPONENTS + 1) // 2
    stages = [
        ("entropy-maximised cells", "generate", int(ENVIRONMENTS / CHUNK), _square(COMPONENTS)),
        ("linear SNAP", "linear_further", BLOCKS, 2 * _square(1 + COMPONENTS)),
        ("quadratic SNAP", "quadratic_further", BLOCKS, 2 * _square(quadratic)),
        ("an epoch of a network", "train_matrix_free", 1, 0),
    ]
    rows = []
    for stage, name, parts, size in stages:
        hours = ENVIRONMENTS / float(table.loc[name, "ours"]) / 3600
        row = {"stage": stage, "parts": parts, "passes_on": size, "core_hours": hours}
        rows.append(row | {f"nodes_{n}": hours / min(parts, n * CORES) for n in NODES})
    return pd.DataFrame(rows)


def _square(n: int) -> int:
    """Return the bytes of a square matrix of n rows."""
    return 8 * n * n


def many_nodes_text(stages: pd.DataFrame) -> str:
    """Return the table of `many_nodes` in Markdown, and a sentence that says what it assumes."""
    rows = [
        {
            "2Jmax 8": row["stage"],
            "jobs": f"{row['parts']:,}",
            "a job passes on": _size(row["passes_on"]),
            "core-hours": digits(row["core_hours"]),
            **{f"hours on {_nodes(n)}": digits(row[f"nodes_{n}"]) for n in NODES},
        }
        for row in stages.to_dict("records")
    ]
    shown = pd.DataFrame(rows).to_markdown(index=False, disable_numparse=True)
    said = f"{ENVIRONMENTS:,.0f} environments, {CHUNK:,} of them in a chunk, "
    said += f"normal equations in {BLOCKS} parts, nodes of {CORES} cores."
    return f"{shown}\n\n{said}"


def _nodes(n: int) -> str:
    return f"{n} node" if n == 1 else f"{n} nodes"


def _size(n_bytes: float) -> str:
    if not n_bytes:
        return ""
    return f"{digits(n_bytes / 1e6)} MB" if n_bytes >= 1e6 else f"{digits(n_bytes / 1e3)} kB"
