"""Recipes of an expert-curated data set for a metal, and of test sets that no model trains on.

Each recipe returns cells tagged with their group (``config_type``) and trajectory. All take a
`Context` first and their own settings, those of the study file, by keyword; lengths in Å, times in
fs, temperatures in K, strains and volumes relative to the reference lattice.
"""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from ase import Atoms

from diverse.descriptors.environments import environment_descriptors
from diverse.generate.acceptance import Gate
from diverse.generate.expert.boundaries import boundaries
from diverse.generate.expert.context import Context
from diverse.generate.expert.crystals import distorted, elastic, eos, thermal
from diverse.generate.expert.defects import (
    dislocation,
    divacancy,
    interstitials,
    vacancy,
)
from diverse.generate.expert.dynamics import liquid, md
from diverse.generate.expert.extremes import clusters, contacts
from diverse.generate.expert.surfaces import gamma_surface, gamma_surface_vacancy, surfaces
from diverse.kernel import BispectrumSettings
from diverse.neighbours import shortest_distance
from diverse.progress import tracked

Recipe = Callable[..., list[Atoms]]
Groups = dict[str, dict[str, Any]]

RECIPES: dict[str, Recipe] = {
    "eos": eos,
    "elastic": elastic,
    "distorted": distorted,
    "thermal": thermal,
    "md": md,
    "liquid": liquid,
    "vacancy": vacancy,
    "divacancy": divacancy,
    "interstitials": interstitials,
    "surfaces": surfaces,
    "gamma_surface": gamma_surface,
    "gamma_surface_vacancy": gamma_surface_vacancy,
    "boundaries": boundaries,
    "dislocation": dislocation,
    "clusters": clusters,
    "contacts": contacts,
}

# Of bispectrum components, the largest a few hundred. Copies by symmetry differ by up to 6e-5, for
# cells are rounded to 1e-6 Å; tetragonal strains of ±0.005 in a cubic lattice, which differ in the
# third order alone, by 7e-4.
SAME = 2e-4

logger = logging.getLogger(__name__)


def check_groups(groups: Groups, structure: str) -> None:
    """Refuse what cannot be made of the reference lattice.

    Parameters
    ----------
    groups : dict
        Settings of each group, by name.
    structure : str
        Of the reference lattice.

    Raises
    ------
    ValueError
        For defects of bcc in another lattice, and for indices of no plane.
    """
    for name in ("interstitials", "dislocation"):
        if name in groups and structure != "bcc":
            raise ValueError(
                f"{name} are made for bcc only, the reference lattice is {structure}: leave the "
                "group out"
            )
    for name, options in groups.items():
        for plane in options.get("planes") or options.get("facets") or []:
            if len(plane) == 4 and (structure != "hcp" or sum(plane[:3])):
                raise ValueError(
                    f"{name}: {plane} has four indices; they are for hcp, and the first three sum "
                    "to 0: take three"
                )
            if not any(plane):
                raise ValueError(f"{name}: {plane} is no plane; give one index that is not 0")


def expert_cells(context: Context, groups: Groups, descriptor: BispectrumSettings) -> list[Atoms]:
    """Make every requested group, in the order of the study file.

    Cells below the floor and cells that equal another one (see `Gate`) are left out, and counted
    in the log. Equal are copies by symmetry, such as shears of opposite sign, and what is as near:
    the mean and spread of the descriptors of both cells differ by less than 0.0002. Tetragonal
    strains of opposite sign in a cubic lattice are equal up to about 0.003.

    Raises
    ------
    ValueError
        If a group ends up empty, or a recipe cannot be made of the reference lattice.
    """
    recipes = tracked(groups.items(), len(groups), "groups")
    made = [cell for name, options in recipes for cell in RECIPES[name](context, **options)]
    verdicts = _verdicts(made, context.d_min, descriptor)
    kept = [cell for cell, verdict in zip(made, verdicts, strict=True) if verdict == "accepted"]
    counts = Counter((c.info["config_type"], v) for c, v in zip(made, verdicts, strict=True))
    for (group, verdict), number in counts.items():
        logger.info("%s: %d %s", group, number, verdict)
    if empty := sorted({group for group, _ in counts} - {c.info["config_type"] for c in kept}):
        raise ValueError(
            f"{', '.join(empty)}: every cell has atoms nearer than {context.d_min} Å or is "
            "in the set already; change the group's volumes or strains, or leave it out"
        )
    return kept


def _verdicts(cells: Sequence[Atoms], d_min: float, descriptor: BispectrumSettings) -> list[str]:
    """Return what the gate says of each cell, by its descriptors as they are (not whitened)."""
    gate, ends = Gate(d_min, SAME), np.cumsum([len(cell) for cell in cells])
    descriptors = np.split(environment_descriptors(cells, descriptor), ends[:-1])
    return [
        gate.verdict(own, shortest_distance(cell), failed=False)
        for own, cell in zip(descriptors, cells, strict=True)
    ]
