"""Run every drill, those of minutes too, and write what came of them.

    PYTHONPATH=workflow/scripts:tests ./envs/run python tests/faults/run.py [ARGUMENT OF PYTEST...]

A drill is a test that takes down, by the fixture `drilled`, which fault it made and how it ended.
If all pass, the table goes to results/release/benchmarks/faults.csv and to workflow/README.md.
About half an hour on one core; as root, since faults of disks and of other users need mounts and
owners.
"""

import datetime
import os
import sys

import pytest

from diverse.report.marks import show_table
from diverse.report.release import write_manifest
from drills import NAME, TABLE, table_of, table_text
from paths import PAGE, ROOT


class Log:
    """Plugin of pytest that runs drills alone, and keeps what they take down."""

    def __init__(self) -> None:
        self.drills = []

    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        items[:] = [item for item in items if "drilled" in item.fixturenames]

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if report.when == "call" and report.passed:
            self.drills += [found for name, found in report.user_properties if name == "drill"]


def main() -> None:
    """Run, and write the table."""
    os.environ["DIVERSE_THOROUGH"] = "1"
    log = Log()
    tests = sys.argv[1:] or [str(ROOT / "tests")]
    options = ["-n", "0", "--rootdir", str(ROOT), "-c", str(ROOT / "pyproject.toml")]
    code = pytest.main([*options, *tests], plugins=[log])
    if code:
        raise SystemExit(code)
    table = table_of(log.drills, f"{datetime.date.today():%-d %B %Y}")
    table.to_csv(TABLE, index=False)
    write_manifest(TABLE.parents[1])
    show_table(PAGE, NAME, "tests/faults/run.py", table_text(table))
    print(table.to_string(index=False))


if __name__ == "__main__":
    main()
