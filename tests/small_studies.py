"""Studies of users, of one set and one small model, labelled by a pair style."""

from pathlib import Path

import yaml

STUDY = {
    "study": "mine",
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
    "split": {"test_fraction": 0.5},
    "models": {"linear2": {"family": "linear", "twojmax": 2, "ridge": 1e-6}},
}


def write_study(folder: Path, datasets: dict) -> tuple[str, str]:
    """Write a study called mine of these sets; return the arguments that name it to Snakemake."""
    (folder / "study.yaml").write_text(yaml.safe_dump({**STUDY, "datasets": datasets}))
    return "--configfile", str(folder / "study.yaml")
