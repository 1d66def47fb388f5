"""Model families, behind one interface: what each predicts, and the files it is exported as."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from ase import Atoms

from diverse.structures import batches
from diverse.zbl import ZBL

BATCH = 2048  # environments predicted together: memory does not grow with the data


@dataclass(frozen=True)
class Predictions:
    """Energies, forces and stresses that a potential predicts for a list of cells.

    Attributes
    ----------
    energies : ndarray, shape (n_cells,), eV
    forces : ndarray, shape (n_atoms, 3), eV/Å
        Atoms of all cells, one after the other.
    stresses : ndarray, shape (n_cells, 6), eV/Å^3
        Voigt order xx, yy, zz, yz, xz, xy; ASE's sign.
    """

    energies: np.ndarray
    forces: np.ndarray
    stresses: np.ndarray

    @classmethod
    def none(cls) -> Predictions:
        """Return the predictions for no cell."""
        return cls(np.zeros(0), np.zeros((0, 3)), np.zeros((0, 6)))


Predictor = Callable[[Sequence[Atoms]], Predictions]


class Model(Protocol):
    """Interface of every model family; the families are registered in `families`."""

    @property
    def files(self) -> tuple[str, ...]:
        """Names of the LAMMPS files of an exported model."""
        ...

    @property
    def family(self) -> str:
        """Name of the family: ``linear``, ``quadratic``, ``network``, ``pod`` or ``ace``."""
        ...

    @property
    def in_lammps(self) -> bool:
        """Truth of the LAMMPS of the study's environment running the files."""
        ...

    @property
    def twojmax(self) -> int | None:
        """Twice the largest angular momentum of bispectrum components; None of other models."""
        ...

    @property
    def n_parameters(self) -> int:
        """Number of trained parameters."""
        ...

    def predictor(self, cutoff: float, zbl: ZBL, *, stresses: bool) -> Predictor:
        """Return the function that predicts a batch of cells; `cutoff` in Å.

        Without `stresses` these may be NaN, where they would cost as much again.
        """
        ...

    def write(self, folder: Path, element: str, cutoff: float) -> None:
        """Write the LAMMPS files; `cutoff` (Å) is the radius of environments."""
        ...

    def lammps_pair(self, folder: str) -> tuple[str, str]:
        """Return the pair style, and the files that its ``pair_coeff`` line names."""
        ...

    def arrays(self) -> dict[str, np.ndarray]:
        """Return the parameters by name."""
        ...


def predict(
    model: Model, cells: Iterable[Atoms], *, cutoff: float, zbl: ZBL, stresses: bool = True
) -> Predictions:
    """Evaluate a model on top of its ZBL repulsion, with no more than a batch in memory.

    Parameters
    ----------
    model : Model
    cells : iterable of Atoms
    cutoff : float, Å
        Radius of the model's environments.
    zbl : ZBL
    stresses : bool
        Whether stresses are wanted; without, they are NaN where they cost as much again.
    """
    predictor = model.predictor(cutoff, zbl, stresses=stresses)
    parts = [predictor(batch) for batch in batches(cells, BATCH)]
    columns = zip(*(vars(part).values() for part in [Predictions.none(), *parts]), strict=True)
    return Predictions(*map(np.concatenate, columns))


def families() -> dict[str, Any]:
    """Return the class of each family, which makes models by ``read`` and ``from_arrays``."""
    from diverse.models.ace.model import AceModel
    from diverse.models.network.model import NetworkModel
    from diverse.models.pod.model import PodModel
    from diverse.models.polynomial.model import PolynomialModel

    return {
        "linear": PolynomialModel,
        "quadratic": PolynomialModel,
        "network": NetworkModel,
        "pod": PodModel,
        "ace": AceModel,
    }


def load_model(folder: str | Path) -> Model:
    """Read whichever model family lies in `folder`, from its LAMMPS files.

    Raises
    ------
    FileNotFoundError
        If the folder holds none.
    """
    for family in families().values():
        if (Path(folder) / family.files[0]).exists():
            model: Model = family.read(Path(folder))
            return model
    names = dict.fromkeys(family.files[0] for family in families().values())
    raise FileNotFoundError(f"{folder} holds neither of {', '.join(names)}")
