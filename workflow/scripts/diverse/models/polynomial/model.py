"""Linear and quadratic SNAP, stored as the files that LAMMPS runs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from diverse.kernel import BispectrumSettings, Kernel
from diverse.lammps_library import UNITS_TAG
from diverse.models.bispectrum import ELEMENT, BispectrumModel, check_settings, read_settings
from diverse.neighbours import CellPairs


@dataclass(frozen=True)
class PolynomialModel(BispectrumModel):
    """Polynomial e = c_0 + sum_k c_k B_k + 1/2 sum_kl Q_kl B_k B_l of an atom's descriptors.

    Each B_k is the atom's component less the component of an isolated atom.

    Attributes
    ----------
    twojmax : int
    constant : float, eV
        Energy of an isolated atom, the repulsive reference aside.
    linear : ndarray, shape (D,), eV
    quadratic : ndarray, shape (D, D), eV, or None
        Symmetric; None for linear SNAP.
    """

    twojmax: int
    constant: float
    linear: np.ndarray
    quadratic: np.ndarray | None = None

    files = ("potential.snapcoeff", "potential.snapparam")

    @property
    def family(self) -> str:
        """Name of the family: ``linear`` or ``quadratic``."""
        return "linear" if self.quadratic is None else "quadratic"

    @property
    def n_parameters(self) -> int:
        """Number of fitted coefficients: 1 + D, and D (D + 1) / 2 more of quadratic SNAP."""
        n = len(self.linear)
        return 1 + n + (0 if self.quadratic is None else n * (n + 1) // 2)

    def site_energies(self, descriptors: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return energies (eV, shape (n,)) and their gradients by descriptor, shape (n, D)."""
        energies = self.constant + descriptors @ self.linear
        if self.quadratic is None:
            return energies, np.broadcast_to(self.linear, descriptors.shape)
        curved = descriptors @ self.quadratic
        return energies + 0.5 * np.einsum("nk,nk->n", curved, descriptors), self.linear + curved

    def site_gradients(self, kernel: Kernel, pairs: CellPairs) -> tuple[np.ndarray, np.ndarray]:
        """Return energies of atoms and their gradient by pair vectors, as every model does.

        A linear model needs no descriptors: the pull-back of its coefficients gives both.
        """
        if self.quadratic is not None:
            return super().site_gradients(kernel, pairs)
        slope = np.broadcast_to(self.linear, (pairs.n_atoms, len(self.linear)))
        sums, gradient = kernel.contracted_vjp(pairs.vector, pairs.first, slope)
        return self.constant + sums, gradient

    @classmethod
    def from_coefficients(
        cls, twojmax: int, coefficients: np.ndarray, *, bzero: bool
    ) -> PolynomialModel:
        """Make a model from coefficients in the order of LAMMPS.

        Parameters
        ----------
        twojmax : int
        coefficients : ndarray, shape (1 + D,) or (1 + D + D (D + 1) / 2,), eV
            Constant, linear, and of the quadratic part the upper triangle row by row; its
            diagonal multiplies B_k^2 / 2 (LAMMPS, ``pair_style snap``, quadraticflag 1).
        bzero : bool
            Whether the B they multiply have the isolated atom's subtracted (``bzeroflag``).

        Raises
        ------
        ValueError
            If the number of coefficients is that of neither form.
        """
        isolated = isolated_atom(twojmax) * (not bzero)
        n = len(isolated)
        constant, linear = float(coefficients[0]), coefficients[1 : 1 + n]
        if len(coefficients) == 1 + n:
            return cls(twojmax, constant + float(linear @ isolated), linear)
        if len(coefficients) != 1 + n + n * (n + 1) // 2:
            raise ValueError(
                f"{len(coefficients)} coefficients at 2Jmax {twojmax}: linear SNAP has {1 + n}, "
                f"quadratic {1 + n + n * (n + 1) // 2}"
            )
        quadratic = np.zeros((n, n))
        quadratic[np.triu_indices(n)] = coefficients[1 + n :]
        quadratic = np.triu(quadratic, 1).T + quadratic
        shift = quadratic @ isolated
        constant += float(linear @ isolated + 0.5 * isolated @ shift)
        return cls(twojmax, constant, linear + shift, quadratic)

    def write(self, folder: Path, element: str, cutoff: float) -> None:
        """Write ``potential.snapcoeff`` and ``potential.snapparam``."""
        folder.mkdir(parents=True, exist_ok=True)
        numbers = [self.constant, *self.linear]
        if self.quadratic is not None:
            numbers += list(self.quadratic[np.triu_indices(len(self.linear))])
        (folder / "potential.snapcoeff").write_text(
            f"# {self.family} SNAP on top of the pair_style zbl in potential.lammps {UNITS_TAG}\n"
            f"1 {len(numbers)}\n{element} 0.5 1.0\n"
            + "".join(f"{float(number)!r}\n" for number in numbers)
        )
        mapping = BispectrumSettings(self.twojmax, cutoff).lammps_mapping
        (folder / "potential.snapparam").write_text(
            f"rcutfac {cutoff!r}\ntwojmax {self.twojmax}\n{mapping}"
            f"bzeroflag 1\nquadraticflag {int(self.quadratic is not None)}\n"
        )

    @classmethod
    def read(cls, folder: Path) -> PolynomialModel:
        """Read ``potential.snapcoeff`` and ``potential.snapparam``, ours or FitSNAP's.

        Raises
        ------
        ValueError
            If the number of coefficients is not that of a model at this 2Jmax, or a setting is one
            that `check_settings` refuses.
        """
        path = folder / "potential.snapparam"
        parameters = read_settings(path)
        check_settings(path, parameters)
        path = folder / "potential.snapcoeff"
        lines = [line.split("#")[0].split() for line in path.read_text().splitlines()]
        for _, *element in (line for line in lines if len(line) == 3):
            check_settings(path, dict(zip(ELEMENT, element, strict=True)), ELEMENT)
        numbers = np.array([float(line[0]) for line in lines if len(line) == 1])
        try:
            bzero = parameters.get("bzeroflag", "1") == "1"
            return cls.from_coefficients(int(parameters["twojmax"]), numbers, bzero=bzero)
        except ValueError as error:
            raise ValueError(f"{folder}: {error}") from None

    def lammps_pair(self, folder: str) -> tuple[str, str]:
        """Return the pair style, and the files that its ``pair_coeff`` line names."""
        stem = f"{folder}/potential"
        return "snap", f"{stem}.snapcoeff {stem}.snapparam"

    def arrays(self) -> dict[str, np.ndarray]:
        """Return the parameters by name, as `from_arrays` takes them."""
        arrays = {
            "twojmax": np.array(self.twojmax),
            "constant": np.array(self.constant),
            "linear": self.linear,
        }
        return arrays if self.quadratic is None else {**arrays, "quadratic": self.quadratic}

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, np.ndarray]) -> PolynomialModel:
        """Make the model of these parameters, named as in `arrays`."""
        twojmax, constant = int(arrays["twojmax"]), float(arrays["constant"])
        return cls(twojmax, constant, arrays["linear"], arrays.get("quadratic"))


def isolated_atom(twojmax: int) -> np.ndarray:
    """Return the components B of an atom without neighbours, shape (D,): j + 1."""
    components = BispectrumSettings(twojmax, 1.0).components()
    return np.array([j + 1.0 for _, _, j in components])
