"""Checks of what a calculator returned: anything but finite real numbers of one shape fails."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from diverse.labels.labellers import Label, LabelError

REAL = "iuf"  # kinds of NumPy types: integers and floats; True is no energy, 1j no force
VOIGT = [0, 1, 2, 1, 0, 0], [0, 1, 2, 2, 2, 1]
SYMMETRY = 1e-6  # of the largest component, by which a stress tensor may be asymmetric
ROUNDING = 1e3  # units in the last place that it may be, if that is more: float32 has few digits


def checked(label: Label, n_atoms: int) -> Label:
    """Return a label with its energies as floats and its arrays of the shapes that `Label` names.

    A symmetric 3x3 stress is turned into its six components; None, no stress, stays None.

    Raises
    ------
    LabelError
        If something is not made of finite real numbers, or of another shape.
    """
    try:
        return replace(
            label,
            free_energy=float(_numbers("free energy", label.free_energy, ())),
            energy=float(_numbers("energy", label.energy, ())),
            forces=_numbers("forces", label.forces, (n_atoms, 3)),
            stress=None if label.stress is None else _stress(label.stress),
        )
    except ValueError as error:
        raise LabelError(f"the calculator returned {error}", label.attempts) from error


def _stress(value: Any) -> np.ndarray:
    if np.shape(value) != (3, 3):
        return _numbers("stress", value, (6,))
    tensor = _numbers("stress", value, (3, 3))
    kind = np.asarray(value).dtype
    limit = max(SYMMETRY, ROUNDING * np.finfo(kind).eps if kind.kind == "f" else 0)
    if np.abs(tensor - tensor.T).max() > limit * np.abs(tensor).max():
        raise ValueError("a stress tensor that is not symmetric")
    return tensor[VOIGT]


def _numbers(name: str, value: Any, shape: tuple[int, ...]) -> np.ndarray:
    """Return a new array of floats; raise a ValueError that says what `value` is instead."""
    try:
        array = np.asarray(value)
    except Exception as error:  # ragged lists, tensors that cannot leave their device
        raise ValueError(f"{name} that are no array ({error})") from error
    if np.ma.is_masked(value):
        raise ValueError(f"{name} with masked, unknown numbers")
    if array.dtype.kind not in REAL:
        kind = type(value).__name__ if array.dtype.kind == "O" else str(array.dtype)
        raise ValueError(f"{name} of the type {kind}, which is not one of real numbers")
    if array.shape != shape:
        raise ValueError(f"{name} of the shape {array.shape} instead of {shape}")
    if not np.isfinite(array).all():
        raise ValueError(f"NaN or infinity as {name}")
    return array.astype(float)
