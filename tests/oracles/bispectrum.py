"""Bispectrum components of atomic environments (the SNAP descriptor), in PyTorch.

Plain tensor operations, differentiable by autograd, on any device: the oracle of the compiled
kernel (`diverse.kernel`). Conventions are those of LAMMPS with one element: `rfac0`, `rmin0`,
cosine switching, unit neighbour and self weights, `bzeroflag 1`.

References
----------
.. [1] A. P. Bartók, M. C. Payne, R. Kondor, G. Csányi, Phys. Rev. Lett. 104, 136403 (2010).
.. [2] A. P. Thompson, L. P. Swiler, C. R. Trott, S. M. Foiles, G. J. Tucker,
       J. Comput. Phys. 285, 316 (2015).
"""

from __future__ import annotations

import math
from functools import lru_cache

import torch
from torch import Tensor

from diverse.kernel import BispectrumSettings


def bispectrum(
    vectors: Tensor, center: Tensor, n_atoms: int, settings: BispectrumSettings
) -> Tensor:
    """Compute the bispectrum components of every environment.

    Parameters
    ----------
    vectors : Tensor, shape (n_pairs, 3), Å
        r_j - r_i of the neighbours j of each atom i.
    center : Tensor of int, shape (n_pairs,)
        Index i of the atom each pair belongs to.
    n_atoms : int
    settings : BispectrumSettings

    Returns
    -------
    Tensor, shape (n_atoms, D), dimensionless
        B_{j1 j2 j} of ref. [2], eq. (9), less its value for an isolated atom (with `bzero`).
    """
    density = _neighbour_density(vectors, center, n_atoms, settings)
    components = []
    for j1, j2, j in settings.components():
        coupling = _clebsch_gordan(j1, j2, j).to(vectors)
        product = torch.einsum("nab,ncd->nacbd", density[j1], density[j2])
        product = product.reshape(n_atoms, (j1 + 1) * (j2 + 1), (j1 + 1) * (j2 + 1))
        coupled = coupling.mT.to(product.dtype) @ product @ coupling.to(product.dtype)
        isolated = j + 1 if settings.bzero else 0
        components.append((density[j].conj() * coupled).real.sum(dim=(1, 2)) - isolated)
    return torch.stack(components, dim=1)


def _neighbour_density(
    vectors: Tensor, center: Tensor, n_atoms: int, settings: BispectrumSettings
) -> list[Tensor]:
    """Return the expansion coefficients u_j of the neighbour density, ref. [2], eq. (5).

    One tensor of shape (n_atoms, j + 1, j + 1) for each j = 0 .. twojmax.
    """
    distance = vectors.norm(dim=1)
    a, b = _cayley_klein(vectors, distance, settings)
    phase = math.pi * (distance - settings.rmin0) / (settings.cutoff - settings.rmin0)
    weight = 0.5 * (torch.cos(phase) + 1) * (distance < settings.cutoff)  # ref. [2], eq. (3)
    density = []
    for j, rotation in enumerate(_wigner_polynomials(a, b, settings.twojmax)):
        summed = rotation.new_zeros((n_atoms, j + 1, j + 1))
        summed = summed.index_add(0, center, rotation * weight[:, None, None])
        self_term = torch.eye(j + 1, dtype=vectors.dtype, device=vectors.device)
        density.append(summed * _wigner_norm(j).to(vectors) + self_term)
    return density


def _cayley_klein(
    vectors: Tensor, distance: Tensor, settings: BispectrumSettings
) -> tuple[Tensor, Tensor]:
    """Map each neighbour onto the unit 3-sphere: complex a and b with |a|^2 + |b|^2 = 1."""
    angle = settings.rfac0 * math.pi / (settings.cutoff - settings.rmin0)
    theta = angle * (distance - settings.rmin0)
    unit = vectors / distance[:, None] * torch.sin(theta)[:, None]
    a = torch.complex(torch.cos(theta), -unit[:, 2])
    b = torch.complex(unit[:, 1], -unit[:, 0])
    return a, b


def _wigner_polynomials(a: Tensor, b: Tensor, twojmax: int) -> list[Tensor]:
    """Return the Wigner matrices U_j of every neighbour up to their normalisation.

    Row m' of U_j, times the norm of `_wigner_norm`, holds the coefficients in x of the polynomial
    (a* - b* x)^(j - m') (b + a x)^m' (the action of SU(2) on homogeneous polynomials), so each
    level follows from the one below by multiplying with one linear factor.
    """
    levels = [torch.ones((len(a), 1, 1), dtype=a.dtype, device=a.device)]
    pad = torch.nn.functional.pad
    for _ in range(twojmax):
        below = levels[-1]
        constant, linear = pad(below, (0, 1)), pad(below, (1, 0))  # times 1, times x
        first = a.conj()[:, None, None] * constant - b.conj()[:, None, None] * linear
        last = b[:, None, None] * constant[:, -1:] + a[:, None, None] * linear[:, -1:]
        levels.append(torch.cat([first, last], dim=1))
    return levels


@lru_cache
def _wigner_norm(j: int) -> Tensor:
    """Return sqrt(m! (j-m)! / (m'! (j-m')!)), shape (j + 1, j + 1), rows m', columns m."""
    weight = torch.tensor(
        [math.factorial(m) * math.factorial(j - m) for m in range(j + 1)], dtype=torch.float64
    )
    return torch.sqrt(weight[None, :] / weight[:, None])


@lru_cache
def _clebsch_gordan(j1: int, j2: int, j: int) -> Tensor:
    """Return <j1 m1 j2 m2 | j m> (doubled j), shape ((j1 + 1)(j2 + 1), j + 1); Racah's formula."""
    matrix = torch.zeros((j1 + 1, j2 + 1, j + 1), dtype=torch.float64)
    for m1 in range(j1 + 1):
        for m2 in range(j2 + 1):
            m = m1 + m2 - (j1 + j2 - j) // 2
            if 0 <= m <= j:
                matrix[m1, m2, m] = _racah(j1, j2, j, 2 * m1 - j1, 2 * m2 - j2)
    return matrix.reshape(-1, j + 1)


def _racah(j1: int, j2: int, j: int, m1: int, m2: int) -> float:
    """Return one Clebsch-Gordan coefficient; all arguments are doubled integers."""

    def fact(doubled: int) -> int:
        return math.factorial(doubled // 2)

    m = m1 + m2
    lowest = max(0, (j2 - j - m1) // 2, (j1 - j + m2) // 2)
    highest = min((j1 + j2 - j) // 2, (j1 - m1) // 2, (j2 + m2) // 2)
    total = sum(
        (-1) ** t
        / (
            math.factorial(t)
            * fact(j1 + j2 - j - 2 * t)
            * fact(j1 - m1 - 2 * t)
            * fact(j2 + m2 - 2 * t)
            * fact(j - j2 + m1 + 2 * t)
            * fact(j - j1 - m2 + 2 * t)
        )
        for t in range(lowest, highest + 1)
    )
    triangle = fact(j1 + j2 - j) * fact(j1 - j2 + j) * fact(-j1 + j2 + j) / fact(j1 + j2 + j + 2)
    states = fact(j1 + m1) * fact(j1 - m1) * fact(j2 + m2) * fact(j2 - m2)
    states *= fact(j + m) * fact(j - m)
    return total * math.sqrt(triangle * states * (j + 1))
