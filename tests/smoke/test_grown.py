"""A set that grows costs the labels of its new cells alone."""

import re
from pathlib import Path

from paths import snakemake
from small_studies import write_study

EOS = {"lattices": ["bcc", "fcc"], "volumes": [0.9, 1.0, 1.1]}


def label(folder: Path, dataset: dict) -> tuple[int, int]:
    """Label the only set of a study; return its number of cells, and of those computed."""
    snakemake(folder, "label", *write_study(folder, {"mine": dataset}))
    chunks = range(dataset["chunks"])
    logs = [(folder / f"results/mine/logs/label_chunk/mine/{n}.log").read_text() for n in chunks]
    told = [map(int, re.search(r"\n(\d+) cells, (\d+) to label\n", log).groups()) for log in logs]
    cells, new = map(sum, zip(*told, strict=True))
    return cells, new


def expert(repeats: int, chunks: int) -> dict:
    groups = {"vacancy": {"supercell": [2, 2, 1], "repeats": repeats, "displacement": 0.08}}
    return {"family": "expert", "chunks": chunks, "groups": {"eos": EOS, **groups}}


def test_an_expert_set_keeps_its_labels_when_its_cells_are_dealt_anew(tmp_path):
    assert label(tmp_path, expert(3, 2)) == (9, 9)
    assert label(tmp_path, expert(5, 3)) == (11, 2)
