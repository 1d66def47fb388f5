"""Cost of DFT labels that are not made yet, from the core seconds of those that are."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import combinations

import numpy as np
import pandas as pd
from ase import Atoms
from scipy.optimize import least_squares

from diverse.labels.labellers.gpaw import Settings, kpoint_mesh, valence

WORK = ["electrons", "volume", "kpoints", "dilution", "largest_mb"]
OPEN = 2.0  # volume per atom, in units of the lattice's, above which a cell holds vacuum
TYPICAL_ERROR = 0.1  # of the logarithm of a time; labels further off pull less
QUANTILES = (0.05, 0.95)  # of the interval
BANDS = 1.2  # computed, in units of the occupied ones
COPIES = 2.0  # of the wave functions in memory: GPAW's own, and the eigensolver's
HARTREE, BOHR = 27.211386, 0.529177


@dataclass(frozen=True)
class LabelCost:
    """Core seconds of a GPAW label, as a function of what has to be computed.

    A self-consistency step works on every band (electrons) in every plane wave (volume), at every
    k-point (a_k) or once (a_0), on top of what starts a calculation (b); cells with vacuum take
    more steps:

    t = (b + (a_k kpoints + a_0) electrons volume) max(1, dilution / 2)^vacuum (cutoff / own)^power

    Attributes
    ----------
    base : float, s
    per_kpoint, once : float, s/Å^3
    vacuum : float
    cutoff : float, eV
        Of the labels that were fitted.
    power : float
    low, high : float
        Ends of an interval, as factors: 90 % of the sums of the labels of one group lie between.
    """

    base: float
    per_kpoint: float
    once: float
    vacuum: float
    cutoff: float
    power: float = 1.0
    low: float = 1.0
    high: float = 1.0

    def seconds(self, work: pd.DataFrame, cutoff: float | None = None) -> np.ndarray:
        """Return core seconds of every row of `work_of`, shape (n_cells,), at a cutoff (eV)."""
        size = work["electrons"] * work["volume"]
        dense = self.base + (self.per_kpoint * work["kpoints"] + self.once) * size
        steps = np.maximum(1, work["dilution"] / OPEN) ** self.vacuum
        factor = (cutoff / self.cutoff) ** self.power if cutoff else 1.0
        return np.asarray(dense * steps * factor, dtype=float)


def fit_cost(
    work: pd.DataFrame, seconds: np.ndarray, groups: np.ndarray, *, cutoff: float
) -> LabelCost:
    """Fit the cost of labels to core seconds that labels took.

    The logarithms are fitted, with a loss that grows linearly for labels that are far off: some
    were made while other processes shared their core.

    Parameters
    ----------
    work : DataFrame
        One row a label, of `work_of`.
    seconds : ndarray, shape (n_labels,)
    groups : ndarray, shape (n_labels,)
        Labels that were made together, such as those of a chunk: the interval is over their sums.
    cutoff : float, eV
        Plane-wave cutoff of the labels.
    """

    def cost(parameters: np.ndarray) -> LabelCost:
        base, per_kpoint, once = np.exp(parameters[:3])
        return LabelCost(base, per_kpoint, once, float(parameters[3]), cutoff)

    def residuals(parameters: np.ndarray) -> np.ndarray:
        return np.log(cost(parameters).seconds(work) / seconds)

    start = np.array([0.0, np.log(1e-4), np.log(1e-3), 0.0])
    found = least_squares(residuals, start, loss="soft_l1", f_scale=TYPICAL_ERROR)
    fitted = cost(found.x)
    sums = pd.DataFrame({"took": seconds, "said": fitted.seconds(work)}).groupby(groups).sum()
    low, high = np.quantile(sums["took"] / sums["said"], QUANTILES)
    return replace(fitted, low=float(low), high=float(high))


def cutoff_power(labels: Iterable[tuple[str, float, float]]) -> float:
    """Return by which power of the cutoff core seconds grow.

    Parameters
    ----------
    labels : iterable of (str, float, float)
        What was labelled, alike but for the cutoff; the cutoff, eV; core seconds.
    """
    table = pd.DataFrame(labels, columns=["name", "cutoff", "seconds"])
    powers = [
        np.log(b.seconds / a.seconds) / np.log(b.cutoff / a.cutoff)
        for _, rows in table.groupby("name")
        for a, b in combinations(rows.itertuples(), 2)
        if a.cutoff != b.cutoff
    ]
    return float(np.median(powers)) if powers else 1.5  # the number of plane waves


def work_of(cells: Sequence[Atoms], settings: Settings, *, volume_per_atom: float) -> pd.DataFrame:
    """Return what has to be computed for each cell, one row a cell.

    Parameters
    ----------
    cells : sequence of Atoms
    settings : Settings
        The DFT protocol.
    volume_per_atom : float, Å^3
        Of the reference lattice.

    Returns
    -------
    DataFrame
        ``electrons``, ``volume`` (Å^3), ``kpoints`` (irreducible), ``dilution`` (volume per atom in
        units of the lattice's), ``largest_mb`` (memory of the wave functions).
    """
    rows = []
    for cell in cells:
        electrons = float(sum(valence(symbol, settings) for symbol in cell.symbols))
        volume, kpoints = cell.get_volume(), irreducible_kpoints(cell, settings)
        memory = wave_functions(electrons, volume, kpoints, settings.cutoff_energy)
        rows.append([electrons, volume, kpoints, volume / len(cell) / volume_per_atom, memory])
    return pd.DataFrame(rows, columns=WORK)


def irreducible_kpoints(atoms: Atoms, settings: Settings) -> int:
    """Return the number of k-points that are computed for a cell."""
    from gpaw.dft import MonkhorstPack
    from gpaw.new.symmetry import create_symmetries_object

    mesh = tuple(settings.kpoint_mesh) or kpoint_mesh(atoms, settings.kpoint_density)
    if not settings.point_group or atoms.info.get("config_type") in ("entropy", "random"):
        own_mirror = np.prod([2 - size % 2 for size in mesh])  # points that are minus themselves
        return int((np.prod(mesh) + own_mirror) // 2)
    symmetries = create_symmetries_object(atoms)
    points = MonkhorstPack(size=mesh, gamma=True).build(atoms)
    return len(points.reduce(symmetries, strict=False))


def wave_functions(electrons: float, volume: float, kpoints: int, cutoff: float) -> float:
    """Return the memory (MB) of the wave functions of a cell.

    Plane waves below the cutoff fill a sphere: V (2 E)^(3/2) / 6 pi^2 in atomic units.
    """
    waves = volume / BOHR**3 * (2 * cutoff / HARTREE) ** 1.5 / (6 * np.pi**2)
    return float(COPIES * 16 * waves * BANDS * electrons / 2 * kpoints / 1e6)
