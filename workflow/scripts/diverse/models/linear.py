"""Linear SNAP, read from the LAMMPS files that FitSNAP writes."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from diverse.kernel import BispectrumSettings


@dataclass(frozen=True)
class LinearModel:
    """e = c_0 + sum_k c_k B_k, with the B of an isolated atom subtracted.

    Attributes
    ----------
    twojmax : int
    constant : float, eV
        Energy of an isolated atom, the repulsive reference aside.
    coefficients : ndarray, shape (D,), eV
    """

    twojmax: int
    constant: float
    coefficients: np.ndarray

    family = "linear"

    @property
    def n_parameters(self) -> int:
        return 1 + len(self.coefficients)

    def site_energies(self, descriptors: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return energies (eV, shape (n,)) and their gradients by descriptor, shape (n, D)."""
        energies = self.constant + descriptors @ self.coefficients
        return energies, np.broadcast_to(self.coefficients, descriptors.shape)

    @classmethod
    def read(cls, folder: Path) -> LinearModel:
        """Read ``potential.snapcoeff`` and ``potential.snapparam``.

        Raises
        ------
        ValueError
            If the number of coefficients is not that of a linear model at this 2Jmax.
        """
        parameters = _read_parameters(folder / "potential.snapparam")
        twojmax = int(parameters["twojmax"])
        lines = [
            line.split("#")[0].split()
            for line in (folder / "potential.snapcoeff").read_text().splitlines()
        ]
        numbers = np.array([float(line[0]) for line in lines if len(line) == 1])
        cutoff = float(parameters["rcutfac"])
        components = BispectrumSettings(twojmax, cutoff).components()
        isolated = np.array([j + 1 for _, _, j in components])
        if len(numbers) != 1 + len(isolated):
            raise ValueError(
                f"{folder}: {len(numbers)} coefficients, 2Jmax {twojmax} has {1 + len(isolated)}"
            )
        constant, coefficients = float(numbers[0]), numbers[1:]
        if parameters["bzeroflag"] == "0":
            constant += float(coefficients @ isolated)
        return cls(twojmax, constant, coefficients)


def lammps_pair(folder: str) -> tuple[str, str]:
    """Return the pair style and the ``pair_coeff`` arguments (without atom types) of the files."""
    stem = f"{folder}/potential"
    return "snap", f"{stem}.snapcoeff {stem}.snapparam"


def _read_parameters(path: Path) -> dict[str, str]:
    words = [line.split("#")[0].split() for line in path.read_text().splitlines()]
    return {pair[0]: pair[1] for pair in words if len(pair) == 2}
