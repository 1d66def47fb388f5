"""Say what ledgers hold, what failed and why, and what is missing.

python -m diverse.labels.ledger LEDGER... [--cells STRUCTURES...] [--protocol HASH]
"""

from __future__ import annotations

import argparse
from pathlib import Path

import pandas as pd

from diverse.labels.ledger import Ledger
from diverse.labels.ledger.query import coverage, failures, missing, protocols, summary
from diverse.structures import read_cells

LISTED = 30  # lines of a long list


def main() -> None:
    """Print damage, then what is here, what failed and what is missing."""
    parser = argparse.ArgumentParser(
        prog="python -m diverse.labels.ledger",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("paths", nargs="+", type=Path, help="ledgers: .xyz or .xyz.xz")
    parser.add_argument(
        "--cells",
        nargs="+",
        type=Path,
        default=[],
        help="structures that ought to have labels, such as results/tungsten/structures/*/*.xyz",
    )
    parser.add_argument(
        "--protocol", help="of the labels they ought to have; by default the only one"
    )
    options = parser.parse_args()
    for path in [*options.paths, *options.cells]:
        if not path.is_file():
            parser.error(f"there is no file {path}")
    ledger = Ledger(None, options.paths)
    for notice in ledger.notices:
        print(f"{notice}\n")
    _tell_what_is_here(ledger)
    known = protocols(ledger.rows())["protocol"].tolist()
    if not options.cells:
        print(
            "\nWhat is missing: give --cells STRUCTURES... to compare with what ought to be here."
        )
    elif options.protocol is None and len(known) != 1:
        parser.error(f"--protocol must be given: these ledgers hold {', '.join(known) or 'none'}")
    else:
        _tell_what_is_missing(ledger, options.cells, options.protocol or known[0])


def _tell_what_is_here(ledger: Ledger) -> None:
    rows = ledger.rows()
    print(f"What is here: {len(rows)} cells, {sum(map(len, rows))} environments.")
    failed = failures(rows)
    if rows:
        print(_text(summary(rows)))
        print(f"\nProtocols:\n{_text(protocols(rows))}")
    print(f"\nWhat failed: {len(failed) or 'nothing'}{' cells.' if len(failed) else '.'}")
    if len(failed):
        print(_text(failed.drop(columns=["labeller", "code", "protocol", "key"])))


def _tell_what_is_missing(ledger: Ledger, files: list[Path], protocol: str) -> None:
    wanted = read_cells(files)
    absent = missing(wanted, protocol, ledger)
    print(f"\nWhat is missing of {len(wanted)} cells under protocol {protocol}: {len(absent)}.")
    print(_text(coverage(wanted, protocol, ledger)))
    if absent:
        lines = [[*(c.info.get(k) for k in ("dataset", "trajectory")), len(c)] for c in absent]
        print(f"\n{_text(pd.DataFrame(lines, columns=['dataset', 'missing cell', 'atoms']))}")


def _text(table: pd.DataFrame) -> str:
    """Return the first lines of a table, and how many there are more."""
    more = len(table) - LISTED
    text = str(table.head(LISTED).to_string(index=False))
    return text + (f"\n... and {more} more" if more > 0 else "")


if __name__ == "__main__":
    main()
