"""Hundreds of wrong study files: each is read, or refused with one sentence."""

import copy
import math
import time

import numpy as np
import pytest
import yaml

from diverse.study.check import ConfigError, load_study
from paths import ROOT

SCHEMA = str(ROOT / "workflow/schemas/study.schema.yaml")
STUDIES = ("smoke", "magnesium", "config")
MUTATIONS = 400  # of each study
VALUES = [
    *(math.nan, math.inf, -math.inf, -1, 0, 1e-300, 10**9, 10**30, -2.5, 2.0, True, False, None),
    *("", " ", "3,165", "1e-6", "auto", "name with spaces", "../up", "/root", ".", "a" * 300),
    *(
        "line\nbreak",
        "nul\0",
        "\udc80",
        "Å",
        "reference",
        "http://x y/z",
        "http://[::1",
        "os:system",
    ),
    *(
        [],
        {},
        [[]],
        [4, 2],
        [math.nan],
        [0, 0],
        [1, 2, 3],
        ["a"],
        {"from": 2, "to": 1, "number": 3},
    ),
    *({"from": 1, "to": 2, "number": 10**8}, {"family": "entropy"}, {1: 2}, {"a": {"b": {}}}),
]


def places(node, path=()):
    """Yield the path of every value of a study file."""
    members = node.items() if isinstance(node, dict) else enumerate(node)
    for key, value in members:
        yield (*path, key)
        if isinstance(value, dict | list):
            yield from places(value, (*path, key))


def mutated(study, rng):
    """Return a copy with one to three values replaced, removed, doubled, renamed or reversed."""
    study = copy.deepcopy(study)
    changes = []
    for _ in range(rng.integers(1, 4)):
        paths = list(places(study))
        *way, key = paths[rng.integers(len(paths))]
        block = study
        for part in way:
            block = block[part]
        kind = rng.choice(["value", "value", "remove", "number", "unknown", "reverse"])
        value = block[key]
        if kind == "remove":
            del block[key]
        elif kind == "unknown" and isinstance(block, dict):
            block[f"{key}s"] = copy.deepcopy(value)
        elif kind == "reverse" and isinstance(value, list):
            value.reverse()
        elif kind == "number" and isinstance(value, int | float):
            block[key] = value * float(rng.choice([-1, 1e3, 1e12, 0, 0.5, 1e-9]))
        else:
            block[key] = copy.deepcopy(VALUES[rng.integers(len(VALUES))])
        changes.append((".".join(map(str, [*way, key])), str(kind)))
    return study, changes


@pytest.mark.parametrize("name", STUDIES)
def test_wrong_studies_are_read_or_refused_with_a_sentence(name, monkeypatch):
    """A removed or strange value is a sentence in any case, never another exception."""
    monkeypatch.chdir(ROOT)
    monkeypatch.setattr("diverse.study.absent.absence", lambda *source: "")  # no network
    study = yaml.safe_load((ROOT / f"config/{name}.yaml").read_text())
    rng, refused, slowest = np.random.default_rng(2022), 0, 0.0
    for _ in range(MUTATIONS):
        wrong, changes = mutated(study, rng)
        started = time.perf_counter()
        try:
            load_study(wrong, SCHEMA)
        except ConfigError as error:
            refused += 1
            sentence = str(error)
            assert sentence.strip() and "\n" not in sentence and len(sentence) < 1000, changes
            assert ":" in sentence and "Traceback" not in sentence, (changes, sentence)
        except Exception as error:
            raise AssertionError(f"{changes}: {type(error).__name__}: {error}") from error
        slowest = max(slowest, time.perf_counter() - started)
    assert refused > 0.6 * MUTATIONS
    assert slowest < 5
