"""Settings of the bispectrum descriptor, in the conventions of LAMMPS."""

from dataclasses import dataclass

MAX_TWOJMAX = 14


@dataclass(frozen=True)
class BispectrumSettings:
    """Choice of bispectrum components and of their neighbourhood (one element, switchflag 1).

    Parameters
    ----------
    twojmax : int
        Band limit 2 Jmax, 2 to 14.
    cutoff : float, Å
        Neighbours from this distance on do not count.
    rfac0 : float
        Part of the 3-sphere that the neighbourhood is mapped to, above 0 and at most 1.
    rmin0 : float, Å
        Distance mapped to the pole of the 3-sphere; no pair may be as close as that.
    bzero : bool
        Subtract the value of the isolated atom, j + 1 (bzeroflag of LAMMPS).

    Raises
    ------
    ValueError
        For a value outside its range.

    Notes
    -----
    Bartok et al., Phys. Rev. B 87, 184115 (2013); Thompson et al., J. Comput. Phys. 285, 316
    (2015).
    """

    twojmax: int
    cutoff: float
    rfac0: float = 0.99363
    rmin0: float = 0.0
    bzero: bool = True

    def __post_init__(self) -> None:
        if not 2 <= self.twojmax <= MAX_TWOJMAX:
            raise ValueError(f"twojmax is {self.twojmax}; it must be between 2 and {MAX_TWOJMAX}.")
        if not 0 <= self.rmin0 < self.cutoff < float("inf"):
            raise ValueError(
                f"cutoff is {self.cutoff} Å and rmin0 {self.rmin0} Å; "
                "they must be finite, with 0 <= rmin0 < cutoff."
            )
        if not 0 < self.rfac0 <= 1:
            raise ValueError(f"rfac0 is {self.rfac0}; it must be above 0 and at most 1.")

    @property
    def n_components(self) -> int:
        """Number of bispectrum components: 14, 30, 55 for twojmax 4, 6, 8."""
        return len(self.components())

    @property
    def lammps_mapping(self) -> str:
        """Lines of a LAMMPS file that map neighbourhoods as this descriptor does."""
        return f"rfac0 {self.rfac0}\nrmin0 {self.rmin0}\n"

    def components(self) -> list[tuple[int, int, int]]:
        """Return (j1, j2, j) of every component, each twice its angular momentum, as in LAMMPS."""
        return [
            (j1, j2, j)
            for j1 in range(self.twojmax + 1)
            for j2 in range(j1 + 1)
            for j in range(j1 - j2, min(self.twojmax, j1 + j2) + 1, 2)
            if j >= j1
        ]
