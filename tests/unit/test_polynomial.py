"""Polynomial fits: rows, normal equations and solution against closed forms and FitSNAP."""

import numpy as np
import pytest
import torch
from ase.build import bulk
from ase.calculators.singlepoint import SinglePointCalculator

from diverse.descriptors.environments import environment_descriptors
from diverse.kernel import BispectrumSettings
from diverse.kernel.device import EMULATION
from diverse.labels.labellers import Label
from diverse.labels.ledger import attach
from diverse.models import predict
from diverse.models.agreement import fit_beside
from diverse.models.fitsnap import fit_with_fitsnap
from diverse.models.polynomial.accumulate import Fold, Gram, accumulate, survey
from diverse.models.polynomial.cuda_gram import CudaGram
from diverse.models.polynomial.design import Rows, design_rows, without_translations
from diverse.models.polynomial.fit import fit_streaming
from diverse.models.polynomial.forms import SnapForm
from diverse.models.polynomial.model import PolynomialModel
from diverse.models.polynomial.settings import FitSettings
from diverse.models.polynomial.solve import left_out_path, solve
from diverse.models.polynomial.uncertainty import Uncertainty
from diverse.models.weights import energy_dependent_weights, equal_weights
from diverse.structures import tagged
from diverse.zbl import ZBL

NO_ZBL = ZBL("W", 0.1, 0.2)  # ends before the nearest neighbour
CUTOFF, ZBL_W = 4.734, ZBL("W", 4.0, 4.8)
WEIGHTS = {"energy_weight": 10.0, "force_weight": 1.0}
FORMS = [(4, False), (6, False), (4, True), (6, True)]


def folds_of(cells, twojmax, quadratic, n_folds=4, weights=equal_weights):
    source = SnapForm(twojmax, quadratic).source(CUTOFF, "W")
    basis = survey(cells, source).basis(quadratic=quadratic)
    return accumulate(cells, source, basis, ZBL_W, n_folds=n_folds, weights=weights), basis


@pytest.fixture(scope="module")
def cells(zhou, tmp_path_factory):
    """120 displaced and strained bcc cells of 4 to 8 atoms, in 60 trajectories."""
    log, rng, rows = tmp_path_factory.mktemp("log") / "log", np.random.default_rng(6), []
    for index in range(120):
        atoms = bulk("W", a=3.165).repeat((2, 2, 1 + index % 2))
        strain = np.eye(3) + rng.uniform(-0.08, 0.08, (3, 3))
        atoms.set_cell(atoms.cell.array @ strain, scale_atoms=True)
        atoms.positions += rng.normal(0, 0.15, atoms.positions.shape)
        cell = tagged(atoms, f"group{index % 3}", str(index // 2))
        attach(cell, zhou.label(cell, log))
        cell.info["key"] = f"key{index}"
        rows.append(cell)
    return rows


@pytest.mark.parametrize(("twojmax", "quadratic"), FORMS)
def test_equals_fitsnap(cells, tmp_path, twojmax, quadratic):
    """FitSNAP's ridge solver warns of quadratic rows (ill-conditioned): its SVD stands for it."""
    ridge = 0.0 if quadratic else 1e-6
    options = {"twojmax": twojmax, "quadratic": quadratic, "cutoff": CUTOFF, "zbl": ZBL_W}
    weights = (WEIGHTS["energy_weight"], WEIGHTS["force_weight"])
    fit_with_fitsnap(
        cells, tmp_path / "potential", **options, weights=lambda cell: weights, ridge=ridge
    )
    theirs = PolynomialModel.read(tmp_path)
    folds, basis = folds_of(cells, twojmax, quadratic)
    fit = solve(folds, basis, **WEIGHTS, ridge=ridge)
    ours = PolynomialModel.from_coefficients(twojmax, fit.coefficients, bzero=False)
    expected = predict(theirs, cells, cutoff=CUTOFF, zbl=ZBL_W)
    found = predict(ours, cells, cutoff=CUTOFF, zbl=ZBL_W)
    sizes = np.array([len(cell) for cell in cells])
    np.testing.assert_allclose(found.energies / sizes, expected.energies / sizes, atol=1e-7)
    np.testing.assert_allclose(found.forces, expected.forces, atol=1e-6)
    np.testing.assert_allclose(ours.linear, theirs.linear, rtol=1e-6)
    assert ours.n_parameters == theirs.n_parameters == basis.n_columns
    if quadratic:
        scale = np.abs(theirs.quadratic).max()
        np.testing.assert_allclose(ours.quadratic, theirs.quadratic, rtol=0, atol=1e-6 * scale)


@pytest.mark.parametrize("quadratic", [False, True])
def test_rows_predict_what_the_model_says(cells, quadratic):
    """Rows times any coefficients are the energies and forces of the model they belong to."""
    _, basis = folds_of(cells[:8], 4, quadratic)
    coefficients = np.random.default_rng(0).normal(size=basis.n_columns)
    lammps = basis.to_lammps() @ coefficients
    model = PolynomialModel.from_coefficients(4, lammps, bzero=False)
    energies, forces = design_rows(
        cells[:8], SnapForm(4, quadratic=False).source(CUTOFF, "W"), basis, ZBL_W
    )
    truth = predict(model, cells[:8], cutoff=CUTOFF, zbl=NO_ZBL)
    sizes = np.array([len(cell) for cell in cells[:8]])
    scale = np.abs(energies.matrix).max() * np.abs(coefficients).sum()
    # whitened columns are cancelling sums of raw ones: rounding grows with the raw terms
    terms = np.abs(lammps).max() * 1e6
    tolerance = 1e-15 * max(scale, terms)
    np.testing.assert_allclose(
        energies.matrix @ coefficients, truth.energies / sizes, rtol=1e-9, atol=tolerance
    )
    found = (forces.matrix @ coefficients).reshape(-1, 3)
    np.testing.assert_allclose(found, truth.forces, rtol=1e-9, atol=1e-9 * np.abs(found).max())


@pytest.mark.parametrize("n_others", [0, 3])
def test_rows_without_translations_have_the_same_normal_equations(cells, zhou, tmp_path, n_others):
    """Three rows a cell fewer; net forces of labels, which no model has, stay in the residual."""
    lone = tagged(bulk("W", a=3.2), "lone", "0")
    attach(lone, zhou.label(lone, tmp_path / "log"))
    lone.info["key"] = "lone"
    mixed = [*cells[:n_others], lone, *cells[20 : 20 + n_others]]
    sizes = np.array([len(cell) for cell in mixed])
    _, basis = folds_of(cells[:8], 4, True)
    _, forces = design_rows(mixed, SnapForm(4, quadratic=False).source(CUTOFF, "W"), basis, ZBL_W)
    forces.target[:] += np.random.default_rng(2).normal(size=forces.target.shape)
    matrix, target = forces.matrix.copy(), forces.target.copy()
    fewer = without_translations(forces, sizes)
    assert fewer.matrix.shape == (3 * (sizes - 1).sum(), basis.n_columns)
    assert fewer.target.shape == target.shape
    square, vector = matrix.T @ matrix, matrix.T @ target
    kept = fewer.target[: len(fewer.matrix)]
    scale = np.abs(square).max()
    np.testing.assert_allclose(fewer.matrix.T @ fewer.matrix, square, rtol=0, atol=1e-13 * scale)
    tiny = 1e-12 * (np.abs(matrix).T @ np.abs(target)).max()
    np.testing.assert_allclose(fewer.matrix.T @ kept, vector, rtol=0, atol=tiny)
    assert fewer.target @ fewer.target == pytest.approx(target @ target, rel=1e-13)


def stacked(cells, basis, weights=equal_weights):
    """Return all weighted rows and targets at once."""
    energies, forces = design_rows(
        cells, SnapForm(4, quadratic=False).source(CUTOFF, "W"), basis, ZBL_W
    )
    by_cell = np.array([weights(cell) for cell in cells])
    by_force = np.repeat(by_cell[:, 1], [3 * len(cell) for cell in cells])
    scale = np.concatenate([10 * by_cell[:, 0], by_force])
    rows = np.concatenate([energies.matrix, forces.matrix]) * scale[:, None]
    return rows, np.concatenate([energies.target, forces.target]) * scale


@pytest.mark.parametrize("quadratic", [False, True])
def test_solution_is_that_of_ridge_regression(cells, quadratic, monkeypatch):
    """Gram matrices in small batches and folds give what lstsq gives with all rows in hand."""
    monkeypatch.setattr("diverse.models.polynomial.accumulate.Gram.environments", 20)
    weights = energy_dependent_weights(-9.0, 0.7)
    folds, basis = folds_of(cells, 4, quadratic, weights=weights)
    rows, target = stacked(cells, basis, weights)
    mean = target[: len(cells)] @ rows[: len(cells), 0] / (rows[:, 0] @ rows[:, 0])
    target = target - mean * rows[:, 0]
    ridge = 0.5
    penalised = np.concatenate([rows, np.sqrt(ridge) * basis.to_lammps()])
    padded = np.concatenate([target, np.zeros(basis.n_columns)])
    exact = np.linalg.lstsq(penalised, padded, rcond=None)[0]
    fit = solve(folds, basis, **WEIGHTS, ridge=ridge)
    exact_of_labels = exact + mean * np.eye(basis.n_columns)[0]
    np.testing.assert_allclose(
        rows @ np.linalg.solve(basis.to_lammps(), fit.coefficients),
        rows @ exact_of_labels,
        atol=1e-8,
    )
    assert fit.summary["rows"] == len(rows)
    scaled = rows / np.linalg.norm(rows, axis=0)
    assert fit.summary["condition"] == pytest.approx(np.linalg.cond(scaled) ** 2, rel=1e-3)
    smoother = rows @ np.linalg.inv(penalised.T @ penalised) @ rows.T
    assert fit.summary["degrees_of_freedom"] == pytest.approx(np.trace(smoother), rel=1e-8)
    noise = ((rows @ exact - target) ** 2).sum() / (len(rows) - np.trace(smoother))
    assert fit.summary["noise"] ** 2 == pytest.approx(noise, rel=1e-7)
    np.testing.assert_allclose(
        fit.covariance, noise * np.linalg.inv(penalised.T @ penalised), rtol=1e-5, atol=1e-12
    )


def from_zero(cells, zero):
    """Return the cells with energies per atom counted from another zero (eV)."""
    moved = []
    for cell in cells:
        results = cell.calc.results
        energies = {name: results[name] + zero * len(cell) for name in ("energy", "free_energy")}
        copy = cell.copy()
        copy.calc = SinglePointCalculator(copy, **{**results, **energies})
        moved.append(copy)
    return moved


@pytest.mark.parametrize("zero", [17.0, -2000.0])
@pytest.mark.parametrize("ridge", [None, 100.0])
@pytest.mark.parametrize("quadratic", [False, True])
def test_another_zero_of_energy_makes_no_other_fit(cells, quadratic, ridge, zero):
    """Energies of labels have any zero, that of the code that made them."""
    fits = []
    for labels in (cells, from_zero(cells, zero)):
        folds, basis = folds_of(labels, 4, quadratic)
        fits.append(solve(folds, basis, **WEIGHTS, ridge=ridge))
    here, there = fits
    assert there.ridge == pytest.approx(here.ridge)
    assert there.coefficients[0] - here.coefficients[0] == pytest.approx(zero, abs=1e-5)
    scale = np.abs(here.coefficients[1:]).max()
    np.testing.assert_allclose(
        there.coefficients[1:], here.coefficients[1:], rtol=0, atol=1e-6 * scale
    )
    assert there.summary["noise"] == pytest.approx(here.summary["noise"], rel=1e-4)


def test_fitsnap_counts_energies_from_their_mean_too(cells, tmp_path):
    """A strong ridge, and labels far from zero: both would show in the predictions."""
    labels = from_zero(cells, -2000.0)
    settings = FitSettings(SnapForm(4, quadratic=False), 10.0, 1.0, 100.0, 0.7, 4)
    options = {"cutoff": CUTOFF, "zbl": ZBL_W}
    streaming, _, fit = fit_streaming(lambda: labels, settings, **options)
    model, _ = fit_beside(streaming, fit.ridge, labels, settings, tmp_path / "potential", **options)
    written = PolynomialModel.read(tmp_path)
    assert written.constant == pytest.approx(model.constant, abs=1e-9)


def test_ridge_is_the_one_that_predicts_left_out_folds_best(cells):
    """The errors on the path are those of fits really made without each fold."""
    folds, basis = folds_of(cells, 4, True, n_folds=3)
    weights = WEIGHTS | {"force_weight": 2.0}
    path = solve(folds, basis, **weights, ridge=None).path
    members = [[cell for cell in cells if fold_of(cell, cells, 3) == k] for k in range(3)]
    for index in (6, 9, 12):
        row = path.iloc[index]
        squares = np.zeros(2)
        for left_out in range(3):
            kept = [fold for k, fold in enumerate(folds) if k != left_out]
            fit = solve(kept, basis, **weights, ridge=row["ridge"])
            model = PolynomialModel.from_coefficients(4, fit.coefficients, bzero=False)
            test = members[left_out]
            found = predict(model, test, cutoff=CUTOFF, zbl=ZBL_W)
            energies = np.array([cell.get_potential_energy() for cell in test])
            forces = np.concatenate([cell.get_forces() for cell in test])
            sizes = np.array([len(cell) for cell in test])
            squares += [
                (((found.energies - energies) / sizes) ** 2).sum(),
                ((found.forces - forces) ** 2).sum(),
            ]
        n_forces = 3 * sum(map(len, cells))
        assert row["energy_rmse"] == pytest.approx(np.sqrt(squares[0] / len(cells)), rel=1e-5)
        assert row["force_rmse"] == pytest.approx(np.sqrt(squares[1] / n_forces), rel=1e-5)
    assert path["chosen"].sum() == 1
    np.testing.assert_allclose(path["criterion"], path["energy_rmse"] * path["force_rmse"])
    assert path["criterion"].idxmin() == path["chosen"].idxmax()


def test_the_path_of_ridges_begins_where_the_penalty_is_all(cells):
    """At 10^4 times the largest ratio of a column to its penalty; then ten times less each."""
    folds, basis = folds_of(cells, 4, False)
    rows, _ = stacked(cells, basis)
    ratio = ((rows**2).sum(axis=0) / (basis.to_lammps() ** 2).sum(axis=0)).max()
    path, _ = left_out_path(folds, basis, **WEIGHTS)
    np.testing.assert_allclose(path["ridge"], 1e4 * ratio * 10.0 ** -np.arange(len(path)))
    assert len(path) == 18


class Numbers:
    """A basis whose columns are numbers as they are."""

    n_columns = 2

    def to_lammps(self):
        return np.eye(2)


@pytest.mark.parametrize(("angle", "determined"), [(1e-5, True), (1e-7, False)])
def test_columns_that_rounding_alone_tells_apart_are_not_fitted(angle, determined):
    """Of unit columns at an angle t, the second pivot is sin(t)^2: at most 2e-13 is rounding."""
    columns = np.array([[1.0, np.cos(angle)], [0.0, np.sin(angle)]])
    folds = [Fold(Gram(2), Gram(2)) for _ in range(2)]
    for fold in folds:
        fold.energy.add(Rows(columns.copy(order="F"), columns @ [2.0, 3.0]), np.ones(2))
    options = {"energy_weight": 1.0, "force_weight": 1.0, "ridge": 0.0}
    if determined:
        fit = solve(folds, Numbers(), **options)
        np.testing.assert_allclose(fit.coefficients, [2.0, 3.0], atol=1e-4)
    else:
        with pytest.raises(ValueError, match=r"4 rows .* do not determine 2 coefficients"):
            solve(folds, Numbers(), **options)


def fold_of(cell, cells, n_folds):
    trajectories = list(dict.fromkeys(trajectory_of(other) for other in cells))
    return trajectories.index(trajectory_of(cell)) % n_folds


def trajectory_of(cell):
    return cell.info["config_type"], cell.info["trajectory"]


def settings(*, twojmax=4, quadratic=False, **changes):
    defaults = {"form": SnapForm(twojmax, quadratic), **WEIGHTS, "ridge": None}
    return FitSettings(**{**defaults, "energy_scale": None, "folds": 4, **changes})


def fit(cells, *, device=None, **changes):
    options = {"cutoff": CUTOFF, "zbl": ZBL_W, "device": device}
    return fit_streaming(lambda: iter(cells), settings(**changes), **options)


@pytest.mark.parametrize("quadratic", [False, True])
def test_fit_recovers_the_potential_that_made_the_labels(cells, quadratic):
    made, _, _ = fit(cells, quadratic=quadratic, ridge=0.1)
    truth = predict(made, cells, cutoff=CUTOFF, zbl=ZBL_W)
    relabelled = [cell.copy() for cell in cells]
    forces = np.split(truth.forces, np.cumsum([len(cell) for cell in cells])[:-1])
    for cell, energy, force in zip(relabelled, truth.energies, forces, strict=True):
        attach(cell, Label(energy, energy, force, np.zeros(6)))
    again, uncertainty, found = fit(relabelled, quadratic=quadratic, ridge=0.0)
    check = predict(again, cells, cutoff=CUTOFF, zbl=ZBL_W)
    np.testing.assert_allclose(check.energies, truth.energies, atol=1e-7)
    np.testing.assert_allclose(check.forces, truth.forces, atol=1e-7)
    assert found.summary["noise"] < 1e-5
    descriptors = environment_descriptors(cells[:4], BispectrumSettings(4, CUTOFF))
    assert uncertainty.of_environments(descriptors).max() < 1e-4


def test_normal_equations_of_a_card_give_the_same_quadratic_model(cells, monkeypatch, caplog):
    """Emulated on the host, in batches of another size; of one batch only halves fit."""
    expected, deviation, path = fit(cells, quadratic=True)
    monkeypatch.setattr(CudaGram, "environments", 70)
    add = CudaGram._tensor

    def cramped(gram, array):
        if len(array) > 100:
            raise torch.OutOfMemoryError("CUDA out of memory.")
        return add(gram, array)

    monkeypatch.setattr(CudaGram, "_tensor", cramped)
    found, other_deviation, other_path = fit(cells, device=EMULATION, quadratic=True)
    assert "no memory for 189 rows at once: going on with 94" in caplog.text
    assert other_path.ridge == pytest.approx(path.ridge, rel=1e-12)
    mine, theirs = (predict(model, cells, cutoff=CUTOFF, zbl=ZBL_W) for model in (found, expected))
    np.testing.assert_allclose(mine.energies, theirs.energies, atol=1e-7)
    np.testing.assert_allclose(mine.forces, theirs.forces, atol=1e-6)
    descriptors = environment_descriptors(cells[:4], BispectrumSettings(4, CUTOFF))
    np.testing.assert_allclose(
        *(one.of_environments(descriptors) for one in (other_deviation, deviation)), rtol=1e-4
    )
    monkeypatch.setattr(CudaGram, "_tensor", lambda gram, array: cramped(gram, np.empty(101)))
    with pytest.raises(RuntimeError, match="the normal equations of 120 columns"):
        fit(cells, device=EMULATION, quadratic=True)
    fit(cells, device=EMULATION)  # a linear model asks the card for nothing


def test_predicted_deviations_cover_the_errors_of_a_well_specified_model(cells):
    """Labels of a linear potential plus noise: errors over their deviations have unit variance."""
    rng = np.random.default_rng(1)
    made, _, _ = fit(cells)
    truth = predict(made, cells, cutoff=CUTOFF, zbl=ZBL_W)
    splits = np.cumsum([len(cell) for cell in cells])[:-1]
    sizes = np.array([len(cell) for cell in cells])
    source = SnapForm(4, quadratic=False).source(CUTOFF, "W", bzero=True)
    ratios = []
    for _ in range(20):
        noisy = [cell.copy() for cell in cells]
        forces = np.split(truth.forces + rng.normal(0, 0.1, truth.forces.shape), splits)
        for cell, energy, force in zip(noisy, truth.energies, forces, strict=True):
            energy = energy + 0.01 * len(cell) * rng.normal()  # weights 10 : 1 as the noise
            attach(cell, Label(energy, energy, force, np.zeros(6)))
        model, uncertainty, _ = fit(noisy, ridge=0.0)
        found = predict(model, cells, cutoff=CUTOFF, zbl=ZBL_W)
        deviation = uncertainty.of_structures(cells, source)
        ratios.append(((found.energies - truth.energies) / sizes / deviation)[::10])
    # 20 fits of 15 coefficients: 300 independent squares, relative scatter (2/300)^0.5 = 8 %
    assert np.mean(np.square(ratios)) == pytest.approx(1, abs=0.35)


def test_uncertainty_is_kept_and_cells_are_means(cells, tmp_path):
    _, uncertainty, _ = fit(cells, quadratic=True)
    uncertainty.save(tmp_path / "covariance.npz")
    read = Uncertainty.load(tmp_path / "covariance.npz")
    one = environment_descriptors([cells[0]], BispectrumSettings(4, CUTOFF))
    np.testing.assert_array_equal(read.of_environments(one), uncertainty.of_environments(one))
    source = SnapForm(4, quadratic=True).source(CUTOFF, "W", bzero=True)
    once, twice = read.of_structures([cells[0], cells[0].repeat((2, 1, 1))], source)
    assert twice == pytest.approx(once, rel=1e-9)  # no more is known of the mean of equal atoms
    far = one + 50.0
    assert (read.of_environments(far) > 3 * read.of_environments(one)).all()


def spoilt(cells, change):
    """Return the cells with the labels of the third changed."""
    copies = [cell.copy() for cell in cells]
    for index, (copy, cell) in enumerate(zip(copies, cells, strict=True)):
        results = {key: cell.calc.results[key] for key in ("energy", "free_energy", "forces")}
        copy.calc = SinglePointCalculator(copy, **(change(results) if index == 2 else results))
    return copies


def test_bad_training_sets_are_named(cells):
    with pytest.raises(ValueError, match="there are no labelled cells"):
        fit([])
    lacking = spoilt(cells, lambda r: {**r, "forces": None})
    with pytest.raises(
        ValueError, match="cell key2 of group group2 has no forces, .* its group out"
    ):
        fit(lacking)
    broken = spoilt(cells, lambda r: {**r, "free_energy": np.nan})
    with pytest.raises(
        ValueError, match="cell key2 of group group2 has NaN or infinite free energy"
    ):
        fit(broken)
    with pytest.raises(ValueError, match=r"components \[0, 1, .* do not vary"):
        fit([tagged_like(bulk("W", a=3.165), cells[0]) for _ in range(3)])
    with pytest.raises(ValueError, match=r"76 rows .* rank 64 with ridge 0 do not determine 120"):
        fit(cells[:4], quadratic=True, ridge=0.0)
    with pytest.raises(ValueError, match="at least two trajectories"):
        fit(cells[:1])


def tagged_like(atoms, other):
    cell = tagged(atoms, other.info["config_type"], other.info["trajectory"])
    attach(cell, Label(-8.0, -8.0, np.zeros((len(cell), 3)), np.zeros(6)))
    return cell


def test_files_keep_every_bit(cells, tmp_path):
    model, _, _ = fit(cells, quadratic=True)
    model.write(tmp_path, "W", CUTOFF)
    read = PolynomialModel.read(tmp_path)
    assert (read.constant, read.n_parameters, read.family) == (model.constant, 120, "quadratic")
    np.testing.assert_array_equal(read.linear, model.linear)
    np.testing.assert_array_equal(read.quadratic, model.quadratic)
    path = tmp_path / "potential.snapcoeff"
    path.write_text(path.read_text() + "1.0\n")
    with pytest.raises(ValueError, match="121 coefficients at 2Jmax 4: linear SNAP has 15, quad"):
        PolynomialModel.read(tmp_path)


def test_a_set_with_fewer_rows_than_columns_is_fitted_with_a_ridge(cells):
    """Where the ridge alone decides, weak ones are left out of the path, not trusted."""
    few = cells[:6]
    model, _, found = fit(few, quadratic=True)
    assert found.summary["rows"] < found.summary["columns"] == 120
    assert (found.path[["energy_rmse", "force_rmse"]] > 1e-4).all(axis=None)
    assert found.path["ridge"].min() > 0
    forces = predict(model, few, cutoff=CUTOFF, zbl=ZBL_W).forces
    truth = np.concatenate([cell.get_forces() for cell in few])
    assert np.abs(forces - truth).mean() < 0.3 * np.abs(truth).mean()
