"""Bispectrum components of batches of atoms, and their derivatives, on a card."""

from __future__ import annotations

import logging
from collections.abc import Callable

import torch

from diverse.kernel.device import Device, Library
from diverse.kernel.kernel import MIN_DISTANCE, DType
from diverse.kernel.settings import BispectrumSettings

ATOMS_AT_ONCE = 250_000  # whose sums are in memory at a time: 7 kB each at 2Jmax 8 in float64
FEWEST_ATOMS = 1_000  # a card that has no room even for these has no room for the work

logger = logging.getLogger(__name__)


class CudaKernel:
    """The bispectrum as `Kernel` computes it, of tensors on a card.

    Results do not depend on which other atoms are in the same call, to the last bit, and differ
    from those of `Kernel` by rounding.

    Parameters
    ----------
    settings : BispectrumSettings
        2Jmax 2 to 10.
    dtype : {"float64", "float32"}
        Type of all computation and of all results.
    device : Device
    atoms_at_once : int, optional
        Atoms whose sums are in memory at a time; halved, with a word in the log, when the card has
        no room.

    Raises
    ------
    ValueError
        For a 2Jmax that the CUDA kernel does not have.
    RuntimeError
        When the kernel cannot be built, or does not fit the card.

    Notes
    -----
    All methods take `vectors`, shape (n_pairs, 3), Å, from each atom to its neighbours, and
    `first`, int64, shape (n_atoms + 1,), as the methods of `Kernel` do, both tensors on the
    device. They raise ValueError for a tensor of the wrong shape, type or device, for numbers that
    are not finite, and for a vector shorter than 1e-3 Å or rmin0.
    """

    def __init__(
        self,
        settings: BispectrumSettings,
        dtype: DType,
        device: Device,
        *,
        atoms_at_once: int = ATOMS_AT_ONCE,
    ) -> None:
        self.settings, self.device, self.atoms_at_once = settings, device, atoms_at_once
        self.dtype: torch.dtype = getattr(torch, dtype)
        self._library: Library = device.library(settings.twojmax, dtype)
        self._radial = float(settings.cutoff), float(settings.rfac0), float(settings.rmin0)

    def forward(self, vectors: torch.Tensor, first: torch.Tensor) -> torch.Tensor:
        """Return the bispectrum components B of every atom, shape (n_atoms, D)."""
        self.check_pairs(vectors, first)
        components = self._empty(len(first) - 1, self.settings.n_components)

        def compute(atoms: slice) -> None:
            piece = _Piece(first, atoms)
            self._components(piece, self._sums(piece, vectors), components[atoms])

        self._in_pieces(len(first) - 1, compute)
        return components

    def vjp(
        self,
        vectors: torch.Tensor,
        first: torch.Tensor,
        cotangent: torch.Tensor,
        *,
        checked: bool = False,
    ) -> torch.Tensor:
        """Return the gradient of sum(cotangent * B) by each vector, shape (n_pairs, 3), 1/Å.

        Parameters
        ----------
        cotangent : Tensor, shape (n_atoms, D)
        checked : bool
            Whether all arguments are known to be good: looking at them waits for the card.
        """
        if not checked:
            self.check_pairs(vectors, first)
            self._check(cotangent, "cotangent", (len(first) - 1, self.settings.n_components))
        gradient = torch.empty_like(vectors)

        def compute(atoms: slice) -> None:
            piece = _Piece(first, atoms)
            sums = self._sums(piece, vectors)
            self._pull_back(piece, vectors, sums, cotangent[atoms], gradient)

        self._in_pieces(len(first) - 1, compute)
        return gradient

    def forward_vjp(
        self, vectors: torch.Tensor, first: torch.Tensor
    ) -> tuple[torch.Tensor, Callable[[torch.Tensor], torch.Tensor]]:
        """Return B, shape (n_atoms, D), and a function from a cotangent to the result of `vjp`.

        The neighbour sums are kept for it, of all atoms at once.

        Raises
        ------
        torch.OutOfMemoryError
            When the card has no room for them.
        """
        self.check_pairs(vectors, first)
        n = len(first) - 1
        piece, components = _Piece(first, slice(0, n)), self._empty(n, self.settings.n_components)
        sums = self._sums(piece, vectors)
        self._components(piece, sums, components)

        def pull_back(cotangent: torch.Tensor) -> torch.Tensor:
            self._check(cotangent, "cotangent", tuple(components.shape))
            gradient = torch.empty_like(vectors)
            self._pull_back(piece, vectors, sums, cotangent, gradient)
            return gradient

        return components, pull_back

    def jvp(
        self,
        vectors: torch.Tensor,
        first: torch.Tensor,
        tangent: torch.Tensor,
        *,
        checked: bool = False,
    ) -> torch.Tensor:
        """Return the change of B along a change of the vectors, shape (n_atoms, D).

        Parameters
        ----------
        tangent : Tensor, shape (n_pairs, 3)
        checked : bool
            As of `vjp`.
        """
        if not checked:
            self.check_pairs(vectors, first)
            self._check(tangent, "tangent", tuple(vectors.shape))
        changes = self._empty(len(first) - 1, self.settings.n_components)

        def compute(atoms: slice) -> None:
            piece = _Piece(first, atoms)
            sums = self._sums(piece, vectors)
            change = torch.empty_like(sums)
            self._call(
                "sum_changes",
                *(piece.n, piece.order, piece.first, *self._radial, vectors, tangent, change),
            )
            partial = self._partial(piece)
            out = changes[atoms]
            self._call("component_changes", piece.n, piece.order, sums, change, partial, out)

        self._in_pieces(len(first) - 1, compute)
        return changes

    def check_pairs(self, vectors: torch.Tensor, first: torch.Tensor) -> None:
        """Raise ValueError for vectors and first pairs that no method takes."""
        if vectors.ndim != 2 or vectors.shape[1] != 3:
            raise ValueError(
                f"vectors has the shape {tuple(vectors.shape)}; it must be (n_pairs, 3)."
            )
        self._check_kind(vectors, "vectors", self.dtype)
        self._check_kind(first, "first", torch.int64)
        ends = first.ndim == 1 and len(first) > 0 and int(first[0]) == 0
        if not ends or int(first[-1]) != len(vectors) or bool((torch.diff(first) < 0).any()):
            raise ValueError(
                "first must be n_atoms + 1 numbers that never decrease, from 0 to the number of "
                f"vectors, {len(vectors)}."
            )
        minimum = max(MIN_DISTANCE, float(self.settings.rmin0))
        squares = (vectors.double() ** 2).sum(dim=1)
        good = (squares > minimum**2) & torch.isfinite(squares)
        if not bool(good.all()):
            bad = int(torch.argmin(good.to(torch.uint8)))
            atom = int(torch.searchsorted(first, bad, right=True)) - 1
            raise ValueError(
                f"The vector of pair {bad}, of atom {atom}, is {vectors[bad].tolist()} Å: it must "
                f"be finite and longer than {minimum} Å."
            )

    def _sums(self, piece: _Piece, vectors: torch.Tensor) -> torch.Tensor:
        """Return the neighbour sums U of a piece, group by group, in the order of its places."""
        sums = self._empty(self._groups(piece), self._library.group_numbers)
        self._call(
            "sum_neighbours", piece.n, piece.order, piece.first, *self._radial, vectors, sums
        )
        return sums

    def _pull_back(
        self,
        piece: _Piece,
        vectors: torch.Tensor,
        sums: torch.Tensor,
        cotangent: torch.Tensor,
        gradient: torch.Tensor,
    ) -> None:
        adjoint = torch.empty_like(sums)
        self._call("adjoint", piece.n, piece.order, sums, cotangent, adjoint)
        self._call(
            "pull_back",
            *(piece.n, piece.order, piece.first, *self._radial, vectors, adjoint, gradient),
        )

    def _components(self, piece: _Piece, sums: torch.Tensor, out: torch.Tensor) -> None:
        bzero, partial = bool(self.settings.bzero), self._partial(piece)
        self._call("components", piece.n, piece.order, bzero, sums, partial, out)

    def _partial(self, piece: _Piece) -> torch.Tensor:
        return self._empty(self._groups(piece), self._library.partial_numbers)

    def _groups(self, piece: _Piece) -> int:
        return -(-piece.n // self._library.group_atoms)

    def _empty(self, *shape: int) -> torch.Tensor:
        return torch.empty(shape, dtype=self.dtype, device=self.device.place)

    def _call(self, name: str, *arguments: object) -> None:
        self._library.call(name, self.device, *arguments)

    def _in_pieces(self, n_atoms: int, compute: Callable[[slice], None]) -> None:
        """Compute for all atoms, as many at a time as the card has room for."""
        begin = 0
        while begin < n_atoms:
            atoms = slice(begin, min(begin + self.atoms_at_once, n_atoms))
            try:
                compute(atoms)
                begin = atoms.stop
            except torch.OutOfMemoryError as error:
                self._take_fewer(atoms.stop - begin, error)

    def _take_fewer(self, n_atoms: int, error: torch.OutOfMemoryError) -> None:
        if n_atoms <= FEWEST_ATOMS:
            raise RuntimeError(
                f"{self.device.name} has no memory left for the descriptors of {n_atoms} atoms: "
                "end what else runs on it, take smaller batches, or use device: cpu."
            ) from error
        self.atoms_at_once = n_atoms // 2
        logger.warning(
            "%s has no memory for %d atoms at once: going on with %d",
            *(self.device.name, n_atoms, self.atoms_at_once),
        )
        torch.cuda.empty_cache()

    def _check(self, tensor: torch.Tensor, name: str, shape: tuple[int, ...]) -> None:
        if tuple(tensor.shape) != shape:
            raise ValueError(f"{name} has the shape {tuple(tensor.shape)}; it must be {shape}.")
        self._check_kind(tensor, name, self.dtype)
        if not bool(torch.isfinite(tensor).all()):
            where = torch.nonzero(~torch.isfinite(tensor))[0].tolist()
            raise ValueError(f"{name} holds a number that is not finite, at index {tuple(where)}.")

    def _check_kind(self, tensor: torch.Tensor, name: str, dtype: torch.dtype) -> None:
        kind = tensor.dtype, tensor.device.type, tensor.is_contiguous()
        if kind != (dtype, self.device.place, True):
            raise ValueError(
                f"{name} is {'' if kind[2] else 'not contiguous, '}{kind[0]} on {kind[1]}; it must "
                f"be contiguous, {dtype}, on {self.device.place}."
            )


class _Piece:
    """Some atoms of a batch, by falling number of neighbours, so that groups have like work."""

    def __init__(self, first: torch.Tensor, atoms: slice) -> None:
        self.first = first[atoms.start : atoms.stop + 1]
        counts = torch.diff(self.first)
        self.order = torch.argsort(counts, descending=True, stable=True).to(torch.int32)
        self.n = len(counts)
