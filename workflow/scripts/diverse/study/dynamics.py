"""The block `dynamics` of a study: its check, the models it leaves to a default, its crystal."""

from __future__ import annotations

from typing import Any

from ase import Atoms

from diverse.dynamics.slopes import LEAST
from diverse.study.reading import demand
from diverse.study.settings import own_models, reference_lattice

Config = dict[str, Any]


def complete_dynamics(study: Config) -> None:
    """Fill in models where no list is: of runs those of claim C4, of ramps all but POD and ACE.

    Raises
    ------
    ConfigError
        For a model that the study does not have, or too few time steps to fit a line.
    """
    block, models = study["dynamics"], own_models(study)
    for key, part, default in (
        ("dynamics", block, _of_the_claim),
        ("dynamics.ramps", block["ramps"], _is_fast),
    ):
        if part["models"] is None:
            part["models"] = [name for name in models if default(study["models"][name])]
        for name in part["models"]:
            demand(name in models, f"{key}.models: there is no model '{name}' that LAMMPS runs")
    fitted = [step for step in block["timesteps"] if float(step) <= block["fitted"]]
    demand(
        len(fitted) >= LEAST and all(float(step) > 0 for step in block["timesteps"]),
        f"dynamics.timesteps: {len(fitted)} are above 0 and not above {block['fitted']:g} fs "
        f"(dynamics.fitted); a line needs {LEAST}",
    )


def dynamic_crystal(study: Config) -> Atoms:
    """Return the perfect supercell that runs start from."""
    return reference_lattice(study).conventional().repeat(study["dynamics"]["supercell"])


def _of_the_claim(model: Config) -> bool:
    """Say whether C4 is about a model of this form."""
    return model["family"] == "linear" or model.get("type") == "A"


def _is_fast(model: Config) -> bool:
    """Say whether the project's own kernel gives the forces of a model."""
    return bool(model["family"] != "pod")
