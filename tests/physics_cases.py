"""Crystals by published potentials, for the tests of physics."""

from functools import cache
from pathlib import Path

from diverse.labels.labellers import make_labeller
from diverse.physics.calculators import LabellerCalculator
from diverse.physics.crystal import Crystal
from diverse.structures import ReferenceLattice

TUNGSTEN = ReferenceLattice("W", "bcc", 3.165)
MAGNESIUM = ReferenceLattice("Mg", "hcp", 3.184, 5.184)
COPPER = ReferenceLattice("Cu", "fcc", 3.615)
SNAP_2017 = {  # arXiv:1702.07042
    "pair_style": "hybrid/overlay zbl 4 4.8 snap",
    "pair_coeff": [
        "1 1 zbl 74 74",
        "* * snap W_2940_2017_2.snapcoeff W_2940_2017_2.snapparam W",
    ],
}
POTENTIALS = {
    "zhou": (TUNGSTEN, {"pair_style": "eam/alloy", "pair_coeff": ["* * W_zhou.eam.alloy W"]}),
    "snap": (TUNGSTEN, SNAP_2017),
    "copper": (COPPER, {"pair_style": "eam/alloy", "pair_coeff": ["* * Cu_zhou.eam.alloy Cu"]}),
    "unstable": (TUNGSTEN, {"pair_style": "lj/cut 7", "pair_coeff": ["* * 1.0 2.5"]}),  # bcc is not
    "magnesium": (
        MAGNESIUM,
        {"pair_style": "eam/fs", "pair_coeff": ["* * Mg_mm.eam.fs Mg"]},
    ),
}


@cache
def crystal_of(name: str) -> Crystal:
    """Return the crystal of a published potential."""
    lattice, options = POTENTIALS[name]
    return Crystal(lattice, calculator_of(lattice, options))


def calculator_of(lattice: ReferenceLattice, options: dict) -> LabellerCalculator:
    """Return a pair style of LAMMPS as a calculator."""
    labeller = make_labeller({"kind": "lammps", "element": lattice.element, **options})
    return LabellerCalculator(labeller, Path("unused"))
