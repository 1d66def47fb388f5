"""Networks of one shape and what the compiled kernel computes of all of them at once."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import numpy as np

from diverse.kernel import library
from diverse.kernel.kernel import DType

FIRST_LAYER_SCALE = 0.01


class NetworkStack:
    """Tanh networks of one shape, each with parameters and standardisation of its own.

    No network sees the others, and no number depends on the number of threads. The formulas stand
    in kernel/cpp/network.hpp; every sum has one order on all CPUs with AVX2.

    Parameters
    ----------
    widths : sequence of int
        Number of descriptors D, neurons of each hidden layer, 1.
    parameters : ndarray, shape (n_networks, n_parameters)
        Of each layer in turn the weights, shape (n_out, n_in), and the biases; its type is that of
        the arithmetic.
    mean, scale : ndarray, shape (n_networks, D)
        Standardisation of the descriptors.
    """

    def __init__(
        self, widths: Sequence[int], parameters: np.ndarray, mean: np.ndarray, scale: np.ndarray
    ) -> None:
        self.parameters, self.mean, self.scale = parameters, mean, scale
        self._widths = np.array(widths, dtype=np.int64)
        self._standard = np.ascontiguousarray(mean), np.ascontiguousarray(1 / scale)
        name = library.kernel_name(library.reproducible_isa(), parameters.dtype.name)
        self._library = library.load(name)
        self._first, self._saved = np.zeros(1, dtype=np.int64), np.empty(0, parameters.dtype)

    def slopes(
        self, descriptors: np.ndarray, atoms: np.ndarray, first: np.ndarray
    ) -> tuple[np.ndarray, Any]:
        """Return energies, shape (n,), eV, and their gradients by descriptor, shape (n, D).

        Parameters
        ----------
        descriptors : ndarray of float64, shape (n_rows, D)
        atoms : ndarray of int64, shape (n,)
            The rows of a batch; a row may appear for more than one network.
        first : ndarray of int64, shape (n_networks + 1,)
            Network k is evaluated on atoms[first[k]] to atoms[first[k + 1] - 1].

        Raises
        ------
        ValueError
            If `first` does not share all atoms out among the networks.
        """
        dtype, n = self.parameters.dtype, len(atoms)
        self._check_first(first, n)
        self._first = np.ascontiguousarray(first, dtype=np.int64)
        atoms = np.ascontiguousarray(atoms, dtype=np.int64)
        shape = len(self._widths) - 1, self._widths, len(self.parameters), self._first
        size = library.call(self._function("network_saved_size"), *shape)
        if size > len(self._saved):
            self._saved = np.empty(size, dtype)
        energies, slopes = np.empty(n, dtype), np.empty((n, self._widths[0]), dtype)
        self._call("slopes", descriptors, atoms, self.parameters, energies, slopes, self._saved)
        return energies, slopes

    def finite(self, energies: np.ndarray, slopes: Any) -> np.ndarray:
        """Return whether the energy and all slopes of each environment are finite, shape (n,)."""
        good: np.ndarray = np.isfinite(energies) & np.isfinite(slopes).all(axis=1)
        return good

    def gradient(self, by_energy: np.ndarray, by_slope: Any) -> np.ndarray:
        """Return the gradient of a loss by all parameters, shape (n_networks, n_parameters).

        Parameters
        ----------
        by_energy, by_slope : ndarray, shapes (n,) and (n, D)
            Derivatives of the loss by what `slopes` returned last.
        """
        gradient = np.empty_like(self.parameters)
        dtype = self.parameters.dtype
        given = (np.ascontiguousarray(array, dtype) for array in (by_energy, by_slope))
        self._call("gradient", self.parameters, *given, self._saved, gradient)
        return gradient

    def layers(self, number: int) -> tuple[list[np.ndarray], list[np.ndarray]]:
        """Return weights, shape (n_out, n_in), and biases of each layer of a network, float64."""
        numbers, start = self.parameters[number].astype(float), 0
        weights, biases = [], []
        for n_in, n_out in pairwise(self._widths.tolist()):
            middle, end = start + n_in * n_out, start + (n_in + 1) * n_out
            weights.append(numbers[start:middle].reshape(n_out, n_in))
            biases.append(numbers[middle:end])
            start = end
        return weights, biases

    def _check_first(self, first: np.ndarray, n: int) -> None:
        if len(first) != len(self.parameters) + 1 or first[0] != 0 or first[-1] != n:
            raise ValueError(
                f"first is {list(first)}: it must rise from 0 to the number of atoms, {n}, and "
                f"hold one number more than there are networks, {len(self.parameters)}"
            )

    def _call(self, name: str, *arrays: np.ndarray) -> None:
        mean, inverse_scale = self._standard
        library.call(
            self._function(f"network_{name}"),
            *(len(self._widths) - 1, self._widths, len(self.parameters), self._first),
            *(mean, inverse_scale, np.int32(library.n_threads(None)), *arrays),
        )

    def _function(self, name: str) -> Any:
        return getattr(self._library, f"diverse_{name}")


def initial_parameters(widths: Sequence[int], seed: int, dtype: DType) -> np.ndarray:
    """Return LeCun-normal weights and biases of zero, shape (n_parameters,).

    The first layer starts `FIRST_LAYER_SCALE` smaller, where tanh is linear: training begins at
    a smooth function of strongly correlated descriptors and bends it only as the data demand.

    Parameters
    ----------
    widths : sequence of int
        As `NetworkStack` takes them.
    """
    generator, parts = np.random.default_rng(seed), []
    for n_in, n_out in pairwise(widths):
        weights = generator.normal(0, n_in**-0.5, (n_out, n_in))
        parts += [weights.ravel(), np.zeros(n_out)]
    parts[0] *= FIRST_LAYER_SCALE
    return np.concatenate(parts).astype(dtype)
