"""A set that grows costs the labels of its new cells alone."""

import re
from pathlib import Path

import yaml

from paths import snakemake

STUDY = {
    "study": "grown",
    "element": "W",
    "lattice": {"structure": "bcc", "a": 3.165},
    "labeller": "zhou",
    "labellers": {
        "zhou": {
            "kind": "lammps",
            "pair_style": "eam/alloy",
            "pair_coeff": ["* * W_zhou.eam.alloy W"],
        }
    },
    "models": {"linear2": {"family": "linear", "twojmax": 2, "ridge": 1e-6}},
}


def label(folder: Path, dataset: dict) -> tuple[int, int]:
    """Label the only set of a study; return its number of cells, and of those computed."""
    (folder / "study.yaml").write_text(yaml.safe_dump({**STUDY, "datasets": {"mine": dataset}}))
    snakemake(folder, "label", "--configfile", str(folder / "study.yaml"))
    chunks = range(dataset["chunks"])
    logs = [(folder / f"results/grown/logs/label_chunk/mine/{n}.log").read_text() for n in chunks]
    told = [map(int, re.search(r"\n(\d+) cells, (\d+) to label\n", log).groups()) for log in logs]
    cells, new = map(sum, zip(*told, strict=True))
    return cells, new


def expert(repeats: int, chunks: int) -> dict:
    groups = {"vacancy": {"supercell": [2, 2, 1], "repeats": repeats, "displacement": 0.08}}
    return {"family": "expert", "chunks": chunks, "groups": {"eos": EOS, **groups}}


EOS = {"lattices": ["bcc", "fcc"], "volumes": [0.9, 1.0, 1.1]}


def test_an_expert_set_keeps_its_labels_when_its_cells_are_dealt_anew(tmp_path):
    assert label(tmp_path, expert(3, 2)) == (9, 9)
    assert label(tmp_path, expert(5, 3)) == (11, 2)
