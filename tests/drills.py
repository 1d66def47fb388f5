"""The table of drills: which fault came, how often, what was lost, and how it ended."""

from collections.abc import Iterable
from typing import TypedDict

import pandas as pd

from paths import ROOT

TABLE = ROOT / "results/release/benchmarks/faults.csv"
NAME = "faults"


class Drill(TypedDict):
    """What a test that passed shows of a fault."""

    fault: str
    times: int
    lost: str
    outcome: str


def table_of(drills: Iterable[Drill], date: str) -> pd.DataFrame:
    """Return one row a fault and outcome, in the order in which they came.

    Columns are those of `Drill` and the date of the run, as it is given.
    """
    rows = pd.DataFrame(list(drills), columns=list(Drill.__annotations__))
    names = ["fault", "lost", "outcome"]
    summed = rows.groupby(names, sort=False, as_index=False)["times"].sum()
    return summed[list(Drill.__annotations__)].assign(date=date)


def table_text(table: pd.DataFrame) -> str:
    """Return the table in Markdown."""
    dates = sorted(set(table["date"]))
    shown = table.drop(columns="date").to_markdown(index=False, disable_numparse=True)
    return f"Of {' and '.join(dates)}:\n\n{shown}"
