"""Model families: each maps the descriptors of one environment to that atom's energy."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Protocol

import numpy as np

from diverse.descriptors import DescriptorTable


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


def predict(model: Model, table: DescriptorTable) -> tuple[np.ndarray, np.ndarray]:
    """Return energies (eV, shape (n_cells,)) and forces (eV/Å, shape (n_atoms, 3))."""
    site, slope = model.site_energies(table.descriptors)
    energies = table.zbl_energies + np.bincount(
        table.cell_of_atom, weights=site, minlength=len(table.energies)
    )
    forces = table.zbl_forces.copy()
    pull = np.einsum("ek,ekx->ex", slope[table.center], table.gradient)
    np.add.at(forces, table.atom, -pull)
    return energies, forces


def load_model(folder: str | Path) -> Model:
    """Read whichever model family lies in `folder`, from its LAMMPS files."""
    from diverse.models.linear import LinearModel
    from diverse.models.network import NetworkModel

    readers: dict[str, Callable[[Path], Model]] = {
        "potential.snapcoeff": LinearModel.read,
        "potential.nn": NetworkModel.read,
    }
    for name, read in readers.items():
        if (Path(folder) / name).exists():
            return read(Path(folder))
    raise FileNotFoundError(f"{folder} holds neither of {', '.join(readers)}")
