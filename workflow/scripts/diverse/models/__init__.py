"""Model families: each maps the descriptors of one environment to that atom's energy."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from ase import Atoms

from diverse.kernel import BispectrumSettings, Kernel, position_gradient, strain_gradient
from diverse.neighbours import find_pairs
from diverse.structures import batches
from diverse.zbl import ZBL

BATCH = 2048  # environments predicted together: memory does not grow with the data


class Model(Protocol):
    """Interface of every model family; the families are registered in `families`."""

    @property
    def files(self) -> tuple[str, ...]:
        """Names of the LAMMPS files of an exported model."""
        ...

    @property
    def family(self) -> str:
        """Name of the family: ``linear``, ``quadratic`` or ``network``."""
        ...

    @property
    def twojmax(self) -> int:
        """Twice the largest angular momentum of the descriptor."""
        ...

    @property
    def n_parameters(self) -> int:
        """Number of trained parameters."""
        ...

    def site_energies(self, descriptors: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return energies (eV, shape (n,)) and their gradients by descriptor, shape (n, D)."""
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


def predict(model: Model, cells: Iterable[Atoms], *, cutoff: float, zbl: ZBL) -> Predictions:
    """Evaluate a model on top of its ZBL repulsion.

    Forces are the pull-back of dE/dB through the descriptor, so that nothing larger than a batch
    of cells is held in memory.

    Parameters
    ----------
    model : Model
    cells : iterable of Atoms
    cutoff : float, Å
        Radius of the model's environments.
    zbl : ZBL
    """
    kernel = Kernel(BispectrumSettings(model.twojmax, cutoff))
    parts = [predict_batch(model, batch, kernel, zbl) for batch in batches(cells, BATCH)]
    columns = zip(*(vars(part).values() for part in [Predictions.none(), *parts]), strict=True)
    return Predictions(*map(np.concatenate, columns))


def predict_batch(model: Model, cells: Sequence[Atoms], kernel: Kernel, zbl: ZBL) -> Predictions:
    """Evaluate a model on top of its ZBL repulsion, all cells at once.

    Parameters
    ----------
    model : Model
    cells : sequence of Atoms
    kernel : Kernel
        Of the model's descriptor; making one takes as long as a small cell.
    zbl : ZBL
    """
    pairs = find_pairs(cells, max(kernel.settings.cutoff, zbl.outer))
    descriptors, pull_back = kernel.forward_vjp(pairs.vector, pairs.first)
    site, slope = model.site_energies(descriptors)
    distance = pairs.distance
    repulsion, repulsion_slope = zbl.pair(distance)  # each pair is seen from both ends
    cell_of_pair = pairs.cell_of_atom[pairs.center]
    energies = np.bincount(pairs.cell_of_atom, site, len(cells))
    energies = energies + 0.5 * np.bincount(cell_of_pair, repulsion, len(cells))
    along = 0.5 * repulsion_slope / distance
    by_vector = pull_back(slope) + along[:, None] * pairs.vector
    forces = -position_gradient(pairs, by_vector, pairs.n_atoms)
    strain = strain_gradient(pairs, by_vector, pairs.cell_of_atom, len(cells))
    volumes = np.array([cell.get_volume() for cell in cells])
    tensors = (strain + strain.transpose(0, 2, 1)) / (2 * volumes[:, None, None])
    return Predictions(energies, forces, tensors[:, [0, 1, 2, 1, 0, 0], [0, 1, 2, 2, 2, 1]])


def families() -> dict[str, Any]:
    """Return the class of each family, which makes models by ``read`` and ``from_arrays``."""
    from diverse.models.network.model import NetworkModel
    from diverse.models.polynomial.model import PolynomialModel

    return {"linear": PolynomialModel, "quadratic": PolynomialModel, "network": NetworkModel}


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
