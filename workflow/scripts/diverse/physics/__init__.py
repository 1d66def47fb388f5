"""Properties of a metal by one potential: lattice, elasticity, defects, surfaces, vibrations.

Every property is a function of a `Crystal` (`diverse.physics.crystal`): the reference lattice,
relaxed by the potential. It returns what it `Found`, or raises `PhysicsError` with the reason for
which there is no value. `diverse.physics.properties` lists them with their units.
"""

from __future__ import annotations

from dataclasses import dataclass, field

__all__ = ["Curve", "Found", "PhysicsError"]


class PhysicsError(RuntimeError):
    """A property has no value; the message is the reason, as it stands in tables."""


@dataclass(frozen=True)
class Curve:
    """Lines behind a value, to be drawn.

    Attributes
    ----------
    x : list of float
    lines : list of list of float
        One or several lines over `x`.
    x_title, y_title : str
        Titles of the axes, with units.
    ticks : list of (str, float)
        Points of `x` that have a name, as the special points of a phonon path.
    names : list of str
        Names of the lines, where there are several that a reader tells apart.
    """

    x: list[float]
    lines: list[list[float]]
    x_title: str
    y_title: str
    ticks: list[tuple[str, float]] = field(default_factory=list)
    names: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Found:
    """Result of a property.

    Attributes
    ----------
    rows : dict of str to float
        Values by the name of their row in tables.
    curve : Curve or None
        Behind the values.
    reasons : dict of str to str
        Reasons for which other rows have no value.
    atoms : int
        Atoms of the largest cell that was computed.
    """

    rows: dict[str, float]
    curve: Curve | None = None
    reasons: dict[str, str] = field(default_factory=dict)
    atoms: int = 0
