"""Molecular dynamics with exported potentials: how well energy is conserved, and how far it gets.

A potential is a function `Evaluate` from cells to their energies and forces, so that all runs of
one potential are advanced together: small cells one by one would take half as long again.
"""

from collections.abc import Callable, Sequence

from ase import Atoms

from diverse.models import Predictions

Evaluate = Callable[[Sequence[Atoms]], Predictions]
