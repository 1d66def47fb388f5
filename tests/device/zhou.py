"""The embedded-atom potential of tungsten by Zhou, for many cells at once on a card.

Formulas and parameters are those of tests/zhou_eam.py, where their source stands. LAMMPS's file
tabulates them; labels made here differ from its own by the splines between its points.
"""

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import torch

import zhou_eam as zhou
from diverse.kernel.cuda_pairs import CudaSearch, sum_ranges
from diverse.kernel.device import Device

ATOMS_AT_ONCE = 100_000  # of which pairs are in memory: 100 for each atom


@dataclass(frozen=True)
class Cells:
    """Periodic cells as arrays.

    Attributes
    ----------
    positions : ndarray, shape (n_atoms, 3), Å
    cells : ndarray, shape (n_cells, 3, 3), Å
    first_atom : ndarray of int64, shape (n_cells + 1,)
    """

    positions: np.ndarray
    cells: np.ndarray
    first_atom: np.ndarray

    def pieces(self, n_atoms: int):
        """Yield parts of whole cells with about so many atoms, and their atoms in the whole."""
        ends = np.arange(n_atoms, len(self.positions) + n_atoms, n_atoms)
        bounds = np.unique(np.searchsorted(self.first_atom, [0, *ends]).clip(max=len(self.cells)))
        for begin, end in pairwise(bounds.tolist()):
            atoms = slice(self.first_atom[begin], self.first_atom[end])
            first = self.first_atom[begin : end + 1] - self.first_atom[begin]
            yield Cells(self.positions[atoms], self.cells[begin:end], first), atoms

    def chosen(self, numbers: np.ndarray) -> "Cells":
        """Return the cells of some numbers."""
        atoms = [np.arange(*self.first_atom[number : number + 2]) for number in numbers]
        first_atom = np.append(0, np.cumsum([len(part) for part in atoms]))
        return Cells(self.positions[np.concatenate(atoms)], self.cells[numbers], first_atom)

    @classmethod
    def joined(cls, parts: list["Cells"]) -> "Cells":
        """Return the cells of all parts, one after the other."""
        sizes = np.concatenate([np.diff(part.first_atom) for part in parts])
        return cls(
            np.concatenate([part.positions for part in parts]),
            np.concatenate([part.cells for part in parts]),
            np.append(0, np.cumsum(sizes)),
        )


def label(cells: Cells, device: Device) -> tuple[np.ndarray, np.ndarray]:
    """Return energies, shape (n_cells,), eV, and forces, shape (n_atoms, 3), eV/Å."""
    energies, forces = [], np.empty_like(cells.positions)
    for part, atoms in cells.pieces(ATOMS_AT_ONCE):
        energy, forces[atoms] = _label(part, device)
        energies.append(energy)
    return np.concatenate(energies), forces


def _label(part: Cells, device: Device) -> tuple[np.ndarray, np.ndarray]:
    positions, vectors, first_atom = (
        torch.tensor(array, device=device.place)
        for array in (part.positions, part.cells, part.first_atom)
    )
    library = device.library(4, "float64")
    search = CudaSearch(library, device, first_atom)
    counts = search.count(positions, vectors, zhou.CUTOFF)
    if bool((counts < 0).any()):
        raise ValueError("a cell holds atoms that overlap, or has no volume: it has no label")
    pairs = search.fill(positions, vectors, zhou.CUTOFF, counts)
    distance = torch.linalg.vector_norm(pairs.vector, dim=1).requires_grad_()
    repulsion = _decay(distance, zhou.A, zhou.ALPHA, zhou.KAPPA)
    pair = repulsion - _decay(distance, zhou.B, zhou.BETA, zhou.LAMBDA)
    density = _decay(distance, zhou.DENSITY, zhou.BETA, zhou.LAMBDA)
    by_pair, by_density = (
        torch.autograd.grad(value.sum(), distance)[0] for value in (pair, density)
    )
    with torch.no_grad():
        sums = sum_ranges(library, device, pairs.first, density.detach())
    embedding = _embedding(sums.requires_grad_())
    (slope,) = torch.autograd.grad(embedding.sum(), sums)
    with torch.no_grad():
        of_atom = 0.5 * sum_ranges(library, device, pairs.first, pair.detach()) + embedding
        energies = sum_ranges(library, device, first_atom, of_atom.detach())
        # Each pair stands twice: half of its energy, and its share of the density of its center.
        along = (0.5 * by_pair + slope[pairs.center] * by_density) / distance
        gradient = search.position_gradient(pairs, along[:, None] * pairs.vector)
    return energies.cpu().numpy(), -gradient.cpu().numpy()


def _decay(r: torch.Tensor, scale: float, rate: float, shift: float) -> torch.Tensor:
    x = r / zhou.NEAREST
    return scale * torch.exp(-rate * (x - 1)) / (1 + (x - shift) ** 20)


def _embedding(rho: torch.Tensor) -> torch.Tensor:
    """Return the embedding energy of each atom, eV; of an atom without neighbours that at 0."""
    ratio = rho / zhou.DENSITY_E
    low, middle = _polynomial(ratio / 0.85 - 1, zhou.LOW), _polynomial(ratio - 1, zhou.MIDDLE)
    base = torch.clamp(ratio, min=0.5)  # beyond use: only there is `high` taken
    high = zhou.HIGH * (1 - zhou.ETA * torch.log(base)) * base**zhou.ETA
    return torch.where(ratio < 0.85, low, torch.where(ratio < 1.15, middle, high))


def _polynomial(x: torch.Tensor, coefficients: tuple[float, ...]) -> torch.Tensor:
    value = torch.zeros_like(x)
    for coefficient in reversed(coefficients):
        value = value * x + coefficient
    return value
