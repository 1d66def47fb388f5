"""Model families: each maps the descriptors of one environment to that atom's energy."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import numpy as np
from ase import Atoms

from diverse.kernel import BispectrumSettings, Kernel, position_gradient, strain_gradient
from diverse.neighbours import find_pairs
from diverse.structures import batches
from diverse.zbl import ZBL

BATCH = 2048  # environments predicted together: memory does not grow with the data


class Model(Protocol):
    """What every model family offers."""

    @property
    def family(self) -> str: ...

    @property
    def twojmax(self) -> int: ...

    @property
    def n_parameters(self) -> int: ...

    def site_energies(self, descriptors: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return energies (eV, shape (n,)) and their gradients by descriptor, shape (n, D)."""
        ...


@dataclass(frozen=True)
class Predictions:
    """What a potential says of a list of cells.

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
    parts = [_predict_batch(model, batch, kernel, zbl) for batch in batches(cells, BATCH)]
    return Predictions(
        np.concatenate([np.zeros(0), *(part.energies for part in parts)]),
        np.concatenate([np.zeros((0, 3)), *(part.forces for part in parts)]),
        np.concatenate([np.zeros((0, 6)), *(part.stresses for part in parts)]),
    )


def _predict_batch(model: Model, cells: Sequence[Atoms], kernel: Kernel, zbl: ZBL) -> Predictions:
    pairs = find_pairs(cells, max(kernel.settings.cutoff, zbl.outer))
    descriptors, pull_back = kernel.forward_vjp(pairs.vector, pairs.first)
    site, slope = model.site_energies(descriptors)
    repulsion, repulsion_slope = zbl.pair(pairs.distance)  # each pair is seen from both ends
    cell_of_pair = pairs.cell_of_atom[pairs.center]
    energies = np.bincount(pairs.cell_of_atom, site, len(cells))
    energies = energies + 0.5 * np.bincount(cell_of_pair, repulsion, len(cells))
    along = 0.5 * repulsion_slope / pairs.distance
    by_vector = pull_back(slope) + along[:, None] * pairs.vector
    forces = -position_gradient(pairs, by_vector, pairs.n_atoms)
    strain = strain_gradient(pairs, by_vector, pairs.cell_of_atom, len(cells))
    volumes = np.array([cell.get_volume() for cell in cells])
    tensors = (strain + strain.transpose(0, 2, 1)) / (2 * volumes[:, None, None])
    return Predictions(energies, forces, tensors[:, [0, 1, 2, 1, 0, 0], [0, 1, 2, 2, 2, 1]])


def load_model(folder: str | Path) -> Model:
    """Read whichever model family lies in `folder`, from its LAMMPS files."""
    from diverse.models.network import NetworkModel
    from diverse.models.polynomial import PolynomialModel

    readers: dict[str, Callable[[Path], Model]] = {
        "potential.snapcoeff": PolynomialModel.read,
        "potential.nn": NetworkModel.read,
    }
    for name, read in readers.items():
        if (Path(folder) / name).exists():
            return read(Path(folder))
    raise FileNotFoundError(f"{folder} holds neither of {', '.join(readers)}")
