"""Say what ledgers hold: ``python -m diverse.ledger PATH... [--cells FILE --protocol HASH]``."""

from __future__ import annotations

import argparse
from pathlib import Path

from diverse.ledger import Ledger
from diverse.ledger.query import failures, missing, summary
from diverse.structures import read_cells


def main() -> None:
    """Print damage, a summary, the failures and, if asked, what is missing."""
    parser = argparse.ArgumentParser(prog="python -m diverse.ledger", description=__doc__)
    parser.add_argument("paths", nargs="+", type=Path, help="ledgers: .xyz or .xyz.xz")
    parser.add_argument("--cells", type=Path, help="structures that ought to have labels")
    parser.add_argument("--protocol", help="protocol of the labels they ought to have")
    options = parser.parse_args()
    ledger = Ledger(None, options.paths)
    print("\n".join(ledger.notices), end="\n" if ledger.notices else "")
    print(summary(ledger.rows()).to_string(index=False))
    failed = failures(ledger.rows())
    if len(failed):
        print(f"\n{len(failed)} cells failed:\n{failed.to_string(index=False)}")
    if options.cells:
        absent = missing(read_cells(options.cells), options.protocol, ledger)
        print(f"\n{len(absent)} cells of {options.cells} are missing:")
        for cell in absent:
            print(f"  {cell.info.get('trajectory')}, {len(cell)} atoms")


if __name__ == "__main__":
    main()
