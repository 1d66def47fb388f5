"""Label many cells side by side, each in a worker process that may crash or hang."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from pathlib import Path

from ase import Atoms

from diverse.labels.labellers import Labeller
from diverse.labels.labellers.worker import Outcome
from diverse.labels.ledger import Ledger, attach, label_key, new_row
from diverse.labels.pool import Effort, outcomes
from diverse.progress import Progress
from diverse.structures.comment_line import one_line

NAMES = ("dataset", "config_type", "trajectory")  # that a study gives to its cells

TIMED_OUT = re.compile(r"no label within (\d+(?:[.]\d+)?(?:e[+]\d+)?) s")


class TimeLimitError(RuntimeError):
    """The time limit was reached before every cell was labelled; the message says what is left."""


def label_cells(
    cells: Sequence[Atoms],
    labeller: Labeller,
    ledger: Ledger,
    *,
    effort: Effort,
    log: Path,
    say: Callable[[str], None],
    retry: bool = False,
) -> list[Atoms]:
    """Return every cell with its label, computing those that the ledger does not hold.

    The labeller gets what a label's key is of, species, positions and the periodic cell, and the
    names of the cell: no constraints, magnetic moments or charges that a file may hold.

    Parameters
    ----------
    cells : sequence of Atoms
    ledger : Ledger
        Where rows are looked up and appended; sorted in the order of `cells` in the end.
    log : Path
        ``<log>.<number>.txt`` is for the calculator's own output of that cell.
    say : callable
        Takes lines about the progress.
    retry : bool
        Whether all cells that failed are tried again; those that failed under a shorter timeout
        are in any case.

    Raises
    ------
    ValueError
        If a cell does not repeat in every direction; nothing is labelled.
    LabellerError, WorkerError
        What `diverse.labels.pool.outcomes` raises; what was labelled is in the ledger.
    TimeLimitError
        If the time limit came first; what was labelled is in the ledger.
    """
    _check_periodic(cells)
    keys = [label_key(cell, labeller.protocol) for cell in cells]
    todo = _missing(keys, ledger, effort.timeout, retry=retry)
    progress = _Progress([len(cells[number]) for number in todo], effort.workers, say)
    say(f"{len(cells)} cells, {len(todo)} to label")
    jobs = [(_bare(cells[number]), log.with_suffix(f".{number + 1}.txt")) for number in todo]
    for place, outcome in outcomes(jobs, labeller, effort):
        row = new_row(cells[todo[place]], labeller)
        _record(row, outcome)
        ledger.append(row)
        progress.tell(f"cell {todo[place] + 1}", len(row), outcome)
    left = len(todo) - progress.done
    if left:
        raise TimeLimitError(f"the time limit is reached and {left} of {len(cells)} cells are left")
    ledger.sort(keys)
    return [_found(cell, key, ledger) for cell, key in zip(cells, keys, strict=True)]


def replaced(cells: Sequence[Atoms], labeller: Labeller, ledger: Ledger) -> list[str]:
    """Return a notice where cells are to be labelled and the ledger's file is of other cells.

    That is what changed settings leave behind, where a set was perhaps only to grow.

    Parameters
    ----------
    cells : sequence of Atoms
        All cells of one chunk.
    labeller : Labeller
        Labels of its protocol are looked for.
    ledger : Ledger
        Ledger of the chunk; rows of its own file alone are counted as of other cells.

    Returns
    -------
    list of str
        One sentence, or nothing where all is well.
    """
    keys = [label_key(cell, labeller.protocol) for cell in cells]
    new = sum(ledger.find(key) is None for key in keys)
    others = ledger.others_than(keys)
    if not new or not others:
        return []
    return [
        f"{new} of {len(cells)} cells have no label, and {others} of this chunk's labels are of "
        "other cells or settings: a change of the study has replaced them. They are kept, and "
        "found again if it is taken back ('Grow a set' in config/README.md)"
    ]


def unlabelled(cells: Sequence[Atoms]) -> list[Atoms]:
    """Return the cells that have a label, without it and under their names."""
    return [_bare(cell) for cell in cells if cell.calc is not None]


def _bare(cell: Atoms) -> Atoms:
    """Return the periodic cell under its names, without anything else that it holds."""
    bare = Atoms(cell.symbols, positions=cell.positions, cell=cell.cell, pbc=True)
    bare.info = {name: cell.info[name] for name in NAMES if name in cell.info}
    return bare


def _check_periodic(cells: Sequence[Atoms]) -> None:
    for number, cell in enumerate(cells, start=1):
        if not cell.pbc.all():
            name = cell.info.get("trajectory", "without a name")
            raise ValueError(
                f"cell {number} ({name}) does not repeat in every direction (pbc "
                f"{' '.join('FT'[int(repeats)] for repeats in cell.pbc)}): labels are of periodic "
                'cells. Give it vacuum where it has none, and pbc="T T T" in its file'
            )


def _missing(keys: Sequence[str], ledger: Ledger, timeout: float, *, retry: bool) -> list[int]:
    """Return the numbers of the cells to label, equal cells once.

    A cell that failed under a shorter timeout than this one is among them.
    """
    wanted: dict[str, int] = {}
    for number, key in enumerate(keys):
        row = ledger.find(key)
        if row is None or (row.info["status"] == "failed" and (retry or _limit(row) < timeout)):
            wanted.setdefault(key, number)
    return list(wanted.values())


def _limit(row: Atoms) -> float:
    """Return the timeout (s) that a cell failed under; infinity if that is not its cause."""
    told = TIMED_OUT.fullmatch(
        row.info.get("cause", "")
    )  # rows of before the limit was stored say it
    return float(row.info.get("timeout") or (told[1] if told else "inf"))


def _record(row: Atoms, outcome: Outcome) -> None:
    """Write an outcome into a row."""
    if outcome.label is None:
        row.info.update(status="failed", cause=outcome.cause)
        row.info.update({"timeout": outcome.timeout} if outcome.timeout else {})
    else:
        row.info.update(status="converged", iterations=outcome.label.iterations)
        attach(row, outcome.label)
    row.info.update(attempts=outcome.attempts, seconds=round(outcome.seconds, 1))


def _found(cell: Atoms, key: str, ledger: Ledger) -> Atoms:
    """Return the ledger's row under the names that this study gave the cell.

    What the cell says of an earlier label (protocol, status) never replaces what the row says.
    """
    row = ledger.find(key)
    assert row is not None
    names = {name: cell.info[name] for name in NAMES if name in cell.info}
    row.info = {**cell.info, **row.info, **names}
    return row


class _Progress:
    """Says what was labelled and about how long the rest takes."""

    def __init__(self, sizes: Sequence[int], workers: int, say: Callable[[str], None]) -> None:
        self.done = 0
        self._total, self._workers, self._say = len(sizes), workers, say
        self._job = Progress(sum(sizes), f"{len(sizes)} cells")

    def tell(self, name: str, atoms: int, outcome: Outcome) -> None:
        self.done += 1
        self._job.add(atoms)
        what, left = one_line(outcome.cause) or "converged", self._job.seconds_left() / 60
        self._say(
            f"{self.done}/{self._total} {name}, {atoms} atoms, {outcome.seconds:.1f} core s, "
            f"attempts {outcome.attempts}: {what}; about {left:.0f} min left"
        )
