"""Damaged files of every form: a sentence or a right reading, in bounded time and memory."""

import os
import random
import resource
import shutil
import time

import numpy as np
import pytest

from diverse.datasets.literature.fetch import SourceError
from diverse.datasets.literature.importer import import_records
from diverse.datasets.literature.records import read_records
from literature_sources import FORMS, make_cells, write_source

MUTANTS = int(os.environ.get("DIVERSE_MUTANTS", "100"))  # of each form
SECONDS, BYTES = 5.0, 1 << 30
HOSTILE = (
    *(b"1000000000000", b"99999999999999999999999999", b"-1", b"nan", b"inf", b"1e309", b"1e12"),
    *(
        b"None",
        b"null",
        b"true",
        b'""',
        b"{}",
        b"[]",
        b"[[",
        b'"',
        b"'",
        b"}",
        b"=",
        b"\n\n",
        b"\0",
    ),
    *(b"\xff\xfe", b"\xef\xbb\xbf", b"****", b"1.0D+03", b"1_0", b"T", b"0", b"5", b" ", b"#"),
)


def mutate(data: bytes, rng: random.Random) -> bytes:
    """Return bytes with one to three changes: of a bit, a span, a word, the end."""
    for _ in range(rng.randint(1, 3)):
        if not data:
            return data
        start = rng.randrange(len(data))
        stop = min(len(data), start + rng.choice((1, 2, 8, 64, 400)))
        kind = rng.randrange(7)
        if kind == 0:
            data = data[:start] + bytes([data[start] ^ 1 << rng.randrange(8)]) + data[start + 1 :]
        elif kind == 1:
            data = data[:start] + data[stop:]
        elif kind == 2:
            data = data[:stop] + data[start:stop] + data[stop:]
        elif kind == 3:
            data = data[:start] + rng.choice(HOSTILE) + data[start:]
        elif kind == 4:
            data = data[:start] + rng.choice(HOSTILE) + data[stop:]
        elif kind == 5:
            lines = data.split(b"\n")
            place = rng.randrange(len(lines))
            words = lines[place].split(b" ")
            words[rng.randrange(len(words))] = rng.choice(HOSTILE)
            lines[place] = b" ".join(words)
            data = b"\n".join(lines)
        else:
            data = data[:start]
    return data


def check(path, most_cells: int) -> str:
    """Import a source; return what came of it after checking all that can be known."""
    try:
        cells, problems = import_records(
            read_records(path), dataset="d", element="W", protocol="p", block=5, reach=4.8
        )
    except (SourceError, ValueError) as error:
        outcome = error
    else:
        outcome = None
    if outcome is not None:
        assert type(outcome) in (SourceError, ValueError), repr(outcome)
        assert len(str(outcome).split()) > 3
        return "refused"
    assert len(cells) + len(problems) <= 4 * most_cells + 40
    for cell in cells:
        results = cell.calc.results
        assert results["forces"].shape == cell.positions.shape == (len(cell), 3)
        assert np.isfinite(results["forces"]).all()
        assert np.isfinite([results["energy"], results["free_energy"]]).all()
        assert ("stress" in results) == cell.info["stress_valid"]
        assert all(isinstance(cell.info[n], str) for n in ("config_type", "trajectory"))
    assert problems["problem"].map(len).gt(5).all()
    return "whole" if problems.empty else "reported"


@pytest.mark.parametrize("form", FORMS)
def test_damaged_files_give_sentences_or_cells(form, tmp_path):
    source = write_source(form, tmp_path / "sound", make_cells(4))
    files = [source] if source.is_file() else sorted(p for p in source.rglob("*") if p.is_file())
    rng = random.Random(f"{form} 1")
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    outcomes = []
    for number in range(MUTANTS):
        copy = tmp_path / "mutant" / source.name
        if source.is_dir():
            shutil.copytree(source, copy)
        else:
            copy.parent.mkdir(exist_ok=True)
        chosen = rng.choice(files)
        target = copy / chosen.relative_to(source) if source.is_dir() else copy
        target.write_bytes(mutate(chosen.read_bytes(), rng))
        start = time.monotonic()
        try:
            outcomes.append(check(copy, 4))
        except BaseException:
            shutil.copytree(copy.parent, tmp_path / f"kept_{number}")
            raise
        assert time.monotonic() - start < SECONDS, number
        shutil.rmtree(copy.parent)
    grown = 1024 * (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)
    assert grown < BYTES
    assert len(set(outcomes)) > 1  # the damage is neither always fatal nor never seen
