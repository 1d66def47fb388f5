"""POD potentials, stored as the files that LAMMPS runs by ``pair_style pod``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
from ase import Atoms

from diverse import lammps_library
from diverse.models import Predictions, Predictor
from diverse.models.export import lammps_commands
from diverse.models.pod.form import PodForm
from diverse.neighbours import find_pairs
from diverse.zbl import ZBL

HEADER = "model_coefficients:"


@dataclass(frozen=True)
class PodModel:
    """Energy e = c_0 + sum_k c_k d_k of an atom with the descriptors d_k.

    Attributes
    ----------
    form : PodForm
    coefficients : ndarray, shape (1 + D,), eV
    """

    form: PodForm
    coefficients: np.ndarray

    family = "pod"
    files = ("potential.podcoeff", "potential.podparam")
    in_lammps = True
    twojmax = None

    @property
    def n_parameters(self) -> int:
        """Number of fitted coefficients, 1 + D."""
        return len(self.coefficients)

    def predictor(self, cutoff: float, zbl: ZBL, *, stresses: bool) -> Predictor:
        """Return the function that predicts a batch of cells.

        Energies and forces are descriptors times coefficients. Stresses, which descriptors do not
        give, are those of LAMMPS with the potential's files, and NaN where they are not wanted.
        """
        source = self.form.source(cutoff, zbl.element)

        def predict(cells: Sequence[Atoms]) -> Predictions:
            sums, derivatives = source.sums(cells)
            sizes = np.array([len(cell) for cell in cells])
            repulsion, pushes = zbl.energies_forces(find_pairs(cells, zbl.outer), len(cells))
            energies = repulsion + sizes * self.coefficients[0] + sums @ self.coefficients[1:]
            forces = pushes + derivatives @ self.coefficients[1:]
            missing = np.full((len(cells), 6), np.nan)
            found = self._stresses(cells, cutoff, zbl) if stresses else missing
            return Predictions(energies, forces, found)

        return predict

    def _stresses(self, cells: Sequence[Atoms], cutoff: float, zbl: ZBL) -> np.ndarray:
        with TemporaryDirectory() as folder:
            self.write(Path(folder), zbl.element, cutoff)
            found = lammps_library.evaluate(cells, *lammps_commands(self, folder, zbl))
        return np.array([evaluation.stress for evaluation in found])

    def write(self, folder: Path, element: str, cutoff: float) -> None:
        """Write ``potential.podparam`` and ``potential.podcoeff``."""
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "potential.podparam").write_text(self.form.parameters(cutoff, element))
        lines = [f"{HEADER} {self.n_parameters} 0 0", *map(repr, self.coefficients.tolist())]
        (folder / "potential.podcoeff").write_text("\n".join(lines) + "\n")

    @classmethod
    def read(cls, folder: Path) -> PodModel:
        """Read ``potential.podparam`` and ``potential.podcoeff``.

        Raises
        ------
        ValueError
            If the number of coefficients is not that of the parameters.
        """
        form = PodForm.read((folder / "potential.podparam").read_text())
        _, count, *numbers = (folder / "potential.podcoeff").read_text().split()
        coefficients = np.array([float(number) for number in numbers[2:]])
        if not 1 + form.n_components == int(count) == len(coefficients):
            raise ValueError(
                f"{folder}: {len(coefficients)} coefficients in potential.podcoeff, which says "
                f"{count}; the parameters in potential.podparam have {1 + form.n_components}"
            )
        return cls(form, coefficients)

    def lammps_pair(self, folder: str) -> tuple[str, str]:
        """Return the pair style, and the files that its ``pair_coeff`` line names."""
        stem = f"{folder}/potential"
        return "pod", f"{stem}.podparam {stem}.podcoeff"

    def arrays(self) -> dict[str, np.ndarray]:
        """Return the parameters by name, as `from_arrays` takes them."""
        return {
            "radial_functions": np.array(self.form.radial_functions),
            "angular_degrees": np.array(self.form.angular_degrees, dtype=int),
            "coefficients": self.coefficients,
        }

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, np.ndarray]) -> PodModel:
        """Make the model of these parameters, named as in `arrays`."""
        names = ("radial_functions", "angular_degrees")
        form = PodForm(*(tuple(arrays[name].tolist()) for name in names))
        return cls(form, arrays["coefficients"])
