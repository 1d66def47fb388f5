"""Fits to the published tungsten data, ours beside FitSNAP's, and a network; run it as a program.

    published.py wbe_prb2019_tungsten.tar.xz

80 % of the trajectories of the pure-tungsten groups (FitSNAP's example WBe_PRB2019: Wood et al.,
Phys. Rev. B 99, 184305 (2019)) with the row weights of the example, no ridge; errors on the others.
Records of a group are one trajectory in blocks of 20. `--every 10` takes a tenth of them.
`--epochs 100` then trains a network (type A) for so many epochs, every cell alike, 10 to 1 for
energies per atom to force components; beside it linear SNAP with these weights.
"""

import argparse
import sys
from collections.abc import Callable
from contextlib import redirect_stdout
from functools import partial
from io import StringIO
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
from ase import Atoms

sys.path.insert(0, str(Path(__file__).parents[2] / "workflow/scripts"))

from diverse.datasets.literature.importer import import_records
from diverse.datasets.literature.records import read_records
from diverse.datasets.split import Outline, split_cells
from diverse.kernel import BispectrumSettings
from diverse.models import Model, predict
from diverse.models.fitsnap import fit_with_fitsnap
from diverse.models.network.data import training_cells
from diverse.models.network.loop import train_networks
from diverse.models.network.model import NetworkModel, layer_widths
from diverse.models.network.settings import TrainingSettings
from diverse.models.polynomial.accumulate import accumulate, survey
from diverse.models.polynomial.forms import SnapForm
from diverse.models.polynomial.model import PolynomialModel
from diverse.models.polynomial.solve import solve
from diverse.zbl import ZBL

CUTOFF, REPULSION = 4.812302818, ZBL("W", 4.0, 4.8)
WEIGHTS = {  # of an energy and of a force row; examples/WBe_PRB2019/20May21_Standard of FitSNAP
    "BCC_ForceLib_W110": (0.003001934, 0.1396702165),
    "BCC_ForceLib_W111": (0.003001934, 0.1396702165),
    "BCC_ForceLib_WOct": (0.003001934, 0.1396702165),
    "BCC_ForceLib_WTet": (0.003001934, 0.1396702165),
    "dislocation_quadrupole": (0.0276327087, 2.1358562516),
    "Disordered_Struc": (0.0001458609, 0.085046817),
    "Divacancy": (0.0269003754, 0.2379420856),
    "EOS_Data": (0.0009078018, 15.9805795873),
    "gamma_surface": (0.0002260273, 3.9286571351),
    "gamma_surface_vacancy": (0.0004723469, 30.7888852447),
    "md_bulk": (0.0526579837, 0.4206962133),
    "slice_sample": (0.0025503766, 10.5847278636),
    "surface": (531.0618507847, 0.8123933908),
    "vacancy": (3.9699030105, 0.5623621081),
    "WSurface_BeAdhesion": (55.7715970380278, 0.78584537072664),
}
ALIKE = (10.0, 1.0)


def published_weights(cell: Atoms) -> tuple[float, float]:
    return WEIGHTS[cell.info["config_type"]]


def fit_alike(cells: list[Atoms], twojmax: int) -> PolynomialModel:
    """Fit with the weights that the network has."""
    return fit_ours(cells, twojmax, lambda cell: ALIKE)


def fit_ours(
    cells: list[Atoms],
    twojmax: int,
    weights: Callable[[Atoms], tuple[float, float]] = published_weights,
) -> PolynomialModel:
    source = SnapForm(twojmax, quadratic=False).source(CUTOFF, "W")
    basis = survey(cells, source).basis(quadratic=False)
    folds = accumulate(cells, source, basis, REPULSION, n_folds=1, weights=weights)
    fit = solve(folds, basis, energy_weight=1.0, force_weight=1.0, ridge=0.0)
    return PolynomialModel.from_coefficients(twojmax, fit.coefficients, bzero=False)


def fit_theirs(cells: list[Atoms], twojmax: int) -> PolynomialModel:
    with TemporaryDirectory() as folder, redirect_stdout(StringIO()):
        fit_with_fitsnap(
            cells,
            Path(folder) / "potential",
            twojmax=twojmax,
            quadratic=False,
            cutoff=CUTOFF,
            zbl=REPULSION,
            weights=published_weights,
            ridge=0.0,
        )
        return PolynomialModel.read(Path(folder))


def fit_network(cells: list[Atoms], twojmax: int, epochs: int) -> NetworkModel:
    descriptor = BispectrumSettings(twojmax, CUTOFF)
    settings = TrainingSettings(
        widths=layer_widths("A", descriptor.n_components),
        energy_weight=ALIKE[0],
        force_weight=ALIKE[1],
        epochs=epochs,
        batch=16,
        learning_rate=0.005,
        weight_decay=1e-3,
        validation_fraction=0.05,
        jacobians="matrix_free",
    )
    data, members = training_cells(cells, descriptor, REPULSION), [np.arange(len(cells))]
    [(network, _)] = train_networks(data, members, settings, [0])
    return network


def errors(model: Model, cells: list[Atoms]) -> np.ndarray:
    """Return RMSE and MAE of energies (meV/atom) and of forces (meV/Å)."""
    found = predict(model, cells, cutoff=CUTOFF, zbl=REPULSION)
    sizes = np.array([len(cell) for cell in cells])
    energies = np.array([cell.get_potential_energy() for cell in cells])
    forces = np.concatenate([cell.get_forces() for cell in cells])
    parts = ((found.energies - energies) / sizes, found.forces - forces)
    return 1e3 * np.array([f(part) for part in parts for f in (_rms, _mean_absolute)])


def _rms(values: np.ndarray) -> float:
    return float(np.sqrt((values**2).mean()))


def _mean_absolute(values: np.ndarray) -> float:
    return float(np.abs(values).mean())


def main() -> None:
    """Fit both, print their errors on the held-out part and the largest relative difference."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("archive", type=Path)
    parser.add_argument("--twojmax", type=int, default=8)
    parser.add_argument("--every", type=int, default=1, help="take every so many-th record")
    parser.add_argument("--epochs", type=int, default=0, help="of a network; 0 for none")
    options = parser.parse_args()
    records = list(read_records(options.archive))[:: options.every]
    cells, _ = import_records(
        records, dataset="w", element="W", protocol="published", block=20, reach=4.8
    )
    parts = split_cells([*map(Outline.of, cells)], 0.2, None, np.random.default_rng(0))
    train, test = ([cells[position] for position in sorted(part)] for part in parts)
    print(
        f"{len(train)} cells, {sum(map(len, train))} environments to train on; "
        f"{len(test)} cells, {sum(map(len, test))} environments to test on"
    )
    print("RMSE, MAE of energies (meV/atom), RMSE, MAE of forces (meV/Å)")
    fits = {"diverse": fit_ours, "FitSNAP": fit_theirs}
    if options.epochs:
        fits |= {"alike": fit_alike, "network": partial(fit_network, epochs=options.epochs)}
    rows = {}
    for name, fit in fits.items():
        rows[name] = errors(fit(train, options.twojmax), test)
        print(f"  {name:8s}", *(f"{value:.4f}" for value in rows[name]), flush=True)
    print(f"largest_difference={np.abs(rows['diverse'] / rows['FitSNAP'] - 1).max():.2e}")
    if options.epochs:
        print(f"network_force_ratio={rows['network'][2] / rows['diverse'][2]:.3f}")


if __name__ == "__main__":
    main()
