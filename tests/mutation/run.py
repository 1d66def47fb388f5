"""Mutation test of the numerical core: cosmic-ray changes the code, and the tests have to notice.

Usage: ./envs/run python tests/mutation/run.py [--number 60] [--seed 0] [--only NAME ...]

From every part of `CORE` the given number of mutants is drawn, and each is tested with the tests of
its part, in a clone of what is committed, on one core; 60 of each take about an hour. The outcomes
go to results/release/benchmarks/mutants.csv, where the word on each survivor is kept as it is.
"""

import argparse
import json
import os
import random
import shutil
import sqlite3
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import NamedTuple

import pandas as pd

ROOT = Path(__file__).resolve().parents[2]
LIBRARY = "workflow/scripts/diverse"
TABLE = ROOT / "results/release/benchmarks/mutants.csv"
TOOL = ROOT / "envs/.mutation"  # made here, on first use
PINS = ["cosmic-ray==8.7.0"]
TIMEOUT = 120.0  # seconds for the tests of one mutant
# With postponed annotations, "str | None" is never computed; a decorator is no arithmetic.
LEFT_OUT = ("core/ReplaceBinaryOperator_BitOr", "core/RemoveDecorator")


class Part(NamedTuple):
    """Files of the library, relative to it, and the tests that speak for them."""

    files: list[str]
    tests: list[str]


CORE = {
    "objective": Part(["generate/objective.py"], ["optimiser", "entropy"]),
    "entropy": Part(["generate/entropy.py"], ["entropy", "optimiser"]),
    "scoring": Part(["errors/scores.py"], ["scores"]),
    "claims": Part(["errors/effects.py", "errors/claims.py"], ["claims", "effects"]),
    "ledger": Part(
        ["labels/ledger/__init__.py", "labels/ledger/text.py", "labels/ledger/writer.py"],
        ["ledger", "comment_line"],
    ),
    "solve": Part(["models/polynomial/solve.py"], ["polynomial"]),
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--number", type=int, default=60)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--only", nargs="+", choices=list(CORE), default=list(CORE))
    options = parser.parse_args()
    if not TOOL.exists():
        install = ["install", "--quiet", "--target", str(TOOL), "-c", "envs/requirements.txt"]
        subprocess.run([sys.executable, "-m", "pip", *install, *PINS], cwd=ROOT, check=True)
    known = pd.read_csv(TABLE, keep_default_na=False) if TABLE.exists() else pd.DataFrame()
    with tempfile.TemporaryDirectory(prefix="mutation-") as scratch:
        clone = Path(scratch, "clone")
        subprocess.run(["git", "clone", "--quiet", ROOT, clone], check=True)
        copy_kernel(clone)
        for name in options.only:
            table = mutate(name, clone, options.number, options.seed)
            known = with_words(table, known)
            known.to_csv(TABLE, index=False)
            print(f"{name}: {(table['outcome'] == 'killed').sum()} of {len(table)} killed")
    print(known[known["outcome"] != "killed"].to_string())
    tested = known[known["outcome"].isin(["killed", "survived"])]  # others could not be tested
    killed = (tested["outcome"] == "killed").mean()
    print(f"mutants killed={killed:.3f} of {len(tested)}")


def copy_kernel(clone: Path) -> None:
    """Build the kernel in the clone, of what is built here where the sources are the same."""
    built = ROOT / LIBRARY / "kernel/_build"
    if built.exists():
        shutil.copytree(built, clone / LIBRARY / "kernel/_build")
    subprocess.run([sys.executable, clone / LIBRARY / "kernel/build.py"], check=True)


def mutate(name: str, clone: Path, number: int, seed: int) -> pd.DataFrame:
    """Return the outcomes of mutants of a part of the core, drawn by a seed."""
    part, session = CORE[name], clone / f"{name}.sqlite"
    tests = " ".join(f"tests/unit/test_{test}.py" for test in part.tests)
    command = f"{sys.executable} -m pytest -x -q -n 0 -p no:cacheprovider {tests}"
    files = json.dumps([f"{LIBRARY}/{file}" for file in part.files])
    config = clone / f"{name}.toml"
    config.write_text(
        f"[cosmic-ray]\nmodule-path = {files}\ntimeout = {TIMEOUT}\nexcluded-modules = []\n"
        f'test-command = "env PYTHONPATH={clone / "workflow/scripts"} {command}"\n'
        '[cosmic-ray.distributor]\nname = "local"\n'
    )
    cosmic_ray(clone, "init", config, session)
    cosmic_ray(clone, "baseline", config)
    keep_some(session, number, random.Random(f"{seed} {name}"))
    cosmic_ray(clone, "exec", config, session)
    return outcomes(name, cosmic_ray(clone, "dump", session))


def cosmic_ray(clone: Path, *arguments: object) -> str:
    """Run the tool in the clone, and return what it prints."""
    environment = {**os.environ, "PYTHONPATH": str(TOOL), "OMP_NUM_THREADS": "1"}
    command = [sys.executable, "-m", "cosmic_ray.cli", *map(str, arguments)]
    done = subprocess.run(command, cwd=clone, env=environment, capture_output=True, text=True)
    if done.returncode:
        raise RuntimeError(
            f"cosmic-ray {arguments[0]} failed:\n{(done.stdout + done.stderr)[-4000:]}"
        )
    return done.stdout


def keep_some(session: Path, number: int, rng: random.Random) -> None:
    """Leave a random choice of the mutants of a session, without those of `LEFT_OUT`."""
    with sqlite3.connect(session) as connection:
        rows = connection.execute("SELECT job_id, operator_name FROM mutation_specs").fetchall()
        jobs = sorted(job for job, operator in rows if not operator.startswith(LEFT_OUT))
        kept = set(rng.sample(jobs, min(number, len(jobs))))
        for job, _ in rows:
            if job not in kept:
                for table, column in (("mutation_specs", "job_id"), ("work_items", "job_id")):
                    connection.execute(f"DELETE FROM {table} WHERE {column} = ?", (job,))


def outcomes(name: str, dump: str) -> pd.DataFrame:
    """Return a row for each mutant: where, what was changed, and whether the tests noticed."""
    rows = []
    for line in dump.splitlines():
        item, result = json.loads(line)
        (mutation,) = item["mutations"]
        changed = [
            row
            for row in result["diff"].splitlines()
            if row[:1] in "+-" and row[:3] not in ("+++", "---")
        ]
        rows.append(
            {
                "part": name,
                "file": mutation["module_path"].removeprefix(f"{LIBRARY}/"),
                "line": mutation["start_pos"][0],
                "was": " ".join(row[1:].strip() for row in changed if row[0] == "-"),
                "became": " ".join(row[1:].strip() for row in changed if row[0] == "+"),
                "outcome": str(result["test_outcome"]),
                "word": "",
            }
        )
    return pd.DataFrame(rows).sort_values(["file", "line", "became"], ignore_index=True)


def with_words(table: pd.DataFrame, known: pd.DataFrame) -> pd.DataFrame:
    """Return known rows with a part's rows in place of its old ones; words on survivors stay."""
    if known.empty:
        return table
    words = {(row.file, row.was, row.became): row.word for row in known.itertuples()}
    table = table.assign(
        word=[words.get((row.file, row.was, row.became), "") for row in table.itertuples()]
    )
    others = known[~known["part"].isin(table["part"])]
    return pd.concat([others, table]).sort_values(["part", "file", "line"], ignore_index=True)


if __name__ == "__main__":
    main()
