"""Ramps until a potential fails, what novelty says on the way, and what is written of both."""

import numpy as np
import pandas as pd
import pytest
from ase import units
from ase.build import bulk

from diverse.descriptors.environments import environment_descriptors
from diverse.descriptors.whitening import Whitening
from diverse.diversity import Novelty
from diverse.dynamics.ramps import COLUMNS, SEGMENTS, TENTHS, Ramp, ramp_rows, ramps_of
from diverse.dynamics.survival import survival_table, warning_probability, warnings_of
from diverse.errors.runs import read_runs, with_origin
from diverse.kernel import BispectrumSettings
from diverse.models import Predictions
from diverse.neighbours import find_pairs
from diverse.report.pages.ramps import ramps_page
from diverse.report.plotting.ramps import ramp_panels
from diverse.report.survival import ramp_sentences

SETTINGS = {"heating": (100.0, 600.0), "compression": 100.0, "pressure": 20.0, "defects": 300.0}
CRYSTAL = bulk("W", "bcc", a=3.165, cubic=True).repeat(2)


def rows_of(ramps, evaluate, seeds=2, novelty=None, threshold=np.nan, length=2.0 * SEGMENTS * 5):
    """Rows of ramps; without a measure of novelty, every cell has none."""
    streams = [np.random.default_rng(seed) for seed in range(seeds)]
    looks = {"novelty": novelty or (lambda cells: np.zeros(len(cells))), "threshold": threshold}
    rows = ramp_rows(ramps, evaluate, streams, length=length, nearest=2.74, **looks)
    return pd.DataFrame(rows, columns=COLUMNS)


def test_ramps_go_where_they_should(zhou_batches):
    """Pressures follow their ramp, and a cell that is heated at constant volume keeps it."""
    ramps = ramps_of(CRYSTAL, SETTINGS)
    assert len(ramps["vacancy"].start) == len(CRYSTAL) - 1
    assert ramps["surface"].start.get_volume() == pytest.approx(2 * CRYSTAL.get_volume())
    rows = rows_of(ramps, zhou_batches)
    assert len(rows) == 5 * 2
    assert (rows["reason"] == "").all()
    assert (rows["reached"] == 1).all()
    means = rows.groupby("ramp")[["temperature", "pressure", "volume"]].mean()
    assert means.loc["heating", "temperature"] == 600
    assert means.loc["heating", "volume"] == 1
    # the EAM of Zhou has B = 310 GPa, so V / V_0 is 0.94 at 20 GPa; pressures scatter by some GPa
    assert means.loc["compression", "volume"] == pytest.approx(0.945, abs=0.02)
    assert means.loc["compression", "pressure"] == pytest.approx(20, abs=5)
    assert means.loc["heating at zero pressure", "volume"] == pytest.approx(1, abs=0.02)


def test_the_course_of_a_ramp_is_said():
    courses = [ramp.course for ramp in ramps_of(CRYSTAL, SETTINGS).values()]
    assert courses[:2] == ["100 to 600 K"] * 2
    assert courses[2:] == ["0 to 20 GPa at 100 K", "at 300 K", "at 300 K"]


def collapsing(zhou_batches):
    """A force that draws all atoms together, and no repulsion that would stop them."""

    def evaluate(cells):
        found = zhou_batches(cells)
        forces = [cell.positions.mean(axis=0) - cell.positions for cell in cells]
        return Predictions(found.energies, 50 * np.concatenate(forces), found.stresses)

    return evaluate


def test_a_ramp_ends_where_the_potential_fails(zhou_batches):
    """Springs without repulsion: atoms that are drawn together end as a pair at no distance."""
    rows = rows_of({"heating": Ramp(CRYSTAL, (300.0, 3000.0))}, collapsing(zhou_batches))
    assert (rows["reached"] < 1).all()
    assert rows["reason"].str.contains("pair at|run-away|below the crystal").all()
    assert (rows["temperature"] < 3000).all()


def test_a_pressure_that_leaves_its_ramp_is_a_failure():
    def pressed(cells):
        n = sum(map(len, cells))
        stress = np.tile([-100 * units.GPa] * 3 + [0.0] * 3, (len(cells), 1))
        return Predictions(np.zeros(len(cells)), np.zeros((n, 3)), stress)

    ramps = {"heating at zero pressure": Ramp(CRYSTAL, (300.0, 600.0), (0.0, 0.0))}
    row = rows_of(ramps, pressed, seeds=1, length=1.0).iloc[0]
    assert row["reason"].startswith("pressure run-away: 10")
    assert row["reason"].endswith("GPa instead of 0 GPa")
    assert (row["reached"], row["temperature"], row["volume"]) == (0, 300, 1)


def free(cells):
    """Energies and forces of atoms that do not feel each other."""
    n = sum(map(len, cells))
    return Predictions(np.zeros(len(cells)), np.zeros((n, 3)), np.zeros((len(cells), 6)))


def test_novelty_is_looked_at_after_every_segment():
    """A measure that counts its calls: novelty 0 at the start, 1 after the first segment, ..."""
    calls = iter(range(1000))
    ramps = {"heating": Ramp(CRYSTAL, (1.0, 1.0))}
    looks = {"novelty": lambda cells: np.full(len(cells), float(next(calls))), "threshold": 29.5}
    row = rows_of(ramps, free, seeds=1, **looks).iloc[0]
    assert (row["reason"], row["reached"], row["crossed"]) == ("", 1, 0.3)
    assert row[["novelty_before", "novelty_end", "novelty_largest"]].tolist() == [90, 100, 100]
    assert row[TENTHS].tolist() == list(range(0, 101, 10))


def test_novelty_at_the_failure_is_no_warning(zhou_batches):
    """The failed segment alone lies above the threshold, of a count of calls."""
    ramps = {"heating": Ramp(CRYSTAL, (300.0, 3000.0))}
    first = rows_of(ramps, collapsing(zhou_batches), seeds=1).iloc[0]
    passed = round(first["reached"] * SEGMENTS)
    for above, crossed in ((passed + 0.5, np.nan), (passed - 0.5, first["reached"])):
        calls = iter(range(1000))
        looks = {"novelty": lambda cells, n=calls: np.array([next(n)]), "threshold": above}
        row = rows_of(ramps, collapsing(zhou_batches), seeds=1, **looks).iloc[0]
        assert row["novelty_end"] == passed + 1
        assert row[TENTHS].count() == passed // 10 + 1
        np.testing.assert_equal(row["crossed"], crossed)


def test_atoms_that_coincide_have_no_novelty_and_leave_that_of_other_cells():
    """One of two runs draws all its atoms to one place."""
    settings = BispectrumSettings(4, 4.7)
    training = [CRYSTAL.copy()]
    whitening = Whitening.none(settings.n_components)
    novelty = Novelty(training, settings, whitening)
    ramps = {"heating": Ramp(CRYSTAL, (1.0, 1.0))}
    calls = []

    def meeting(cells):
        calls.append(1)
        if len(calls) == 9:
            cells[0].positions[1] = cells[0].positions[0] + 1e-5
        find_pairs(cells, 3.0)  # refuses such cells, as a potential does
        return free(cells)

    rows = rows_of(ramps, meeting, novelty=novelty.of_cells, threshold=1e3)
    assert rows["reason"][0].startswith("lost atoms: Atom 0 of cell 0 overlaps atom 1")
    assert np.isnan(rows["novelty_end"][0])
    assert np.isfinite(rows["novelty_largest"]).all()
    assert (rows["reason"][1], rows["reached"][1]) == ("", 1)
    assert np.isfinite(rows["novelty_end"][1])


def test_the_threshold_is_a_quantile_of_left_out_cells(labelled):
    settings = BispectrumSettings(4, 4.7)
    whitening = Whitening.of(environment_descriptors(labelled, settings))
    novelty = Novelty(labelled[:12], settings, whitening)
    own = novelty.of_cells(labelled[12:])
    assert novelty.threshold(labelled[12:], 0.5) == pytest.approx(np.median(own))
    assert novelty.threshold(labelled[:12], 0.99) == pytest.approx(0, abs=1e-9)
    assert np.isnan(novelty.threshold([], 0.99))


def made_up(train="entropy", model="linear4", ramp="heating", reached=(1.0, 1.0), crossed=None):
    """Runs of 1,000 fs that reached so much of a ramp, and crossed the threshold there."""
    n = len(reached)
    names = {"train": train, "model": model, "potential": "abc", "ramp": ramp, "course": "1 to 2 K"}
    parts = np.array(reached)
    return pd.DataFrame(
        names
        | {
            **{"length": 1000.0, "seed": range(n), "reached": parts, "temperature": 1000 * parts},
            **{"pressure": 1.0, "volume": 1.0, "threshold": 2.0},
            "reason": np.where(parts < 1, "pair at 1.00 Å", ""),
            **{"novelty_before": 1.5, "novelty_end": 3.0, "novelty_largest": 3.0},
            **{"crossed": crossed or [np.nan] * n},
            **{name: np.where(parts * 100 >= 10 * k, 1.0, np.nan) for k, name in enumerate(TENTHS)},
        },
        index=range(n),
    )


def test_a_ramp_of_a_potential_is_summed_up():
    """Two of four runs failed, one of them after a warning; one other crossed the threshold."""
    rows = made_up(reached=(0.5, 0.8, 1.0, 1.0), crossed=[np.nan, 0.5, 0.2, np.nan])
    row = survival_table(rows).iloc[0]
    assert (row["runs"], row["failed"], row["warned"], row["alarmed"]) == (4, 2, 1, 1)
    assert (row["reached"], row["temperature"]) == (0.5, 500)
    assert row["reason"] == "pair at 1.00 Å"
    assert row["lead"] == pytest.approx(300)
    (counts,) = warnings_of(survival_table(rows)).to_dict("records")
    assert counts == {
        **{"train": "entropy", "runs": 4, "failed": 2, "warned": 1},
        **{"survived": 2, "alarmed": 1},
    }


def test_whether_novelty_warns_is_decided_by_ramps_of_potentials():
    """Fisher's exact test of 3 warned failures of 3 and 0 alarms of 3: 1 / C(6, 3)."""
    fallen = [made_up(model=f"m{n}", reached=(0.5, 0.5), crossed=[0.1, 0.2]) for n in range(3)]
    rising = [made_up(model=f"n{n}") for n in range(3)]
    assert warning_probability(survival_table(pd.concat(fallen + rising))) == pytest.approx(1 / 20)
    assert np.isnan(warning_probability(survival_table(pd.concat(fallen))))
    assert np.isnan(warning_probability(survival_table(pd.concat(rising))))


def told(*blocks, origin="this study", same=True):
    table = survival_table(pd.concat(blocks)).assign(origin=origin, same_potential=same)
    return table, " ".join(ramp_sentences(table))


def test_sentences_say_what_the_table_says():
    fallen = [made_up(model=f"m{n}", reached=(0.5, 0.5), crossed=[0.1, 0.2]) for n in range(4)]
    rising = [made_up("expert", model=f"n{n}") for n in range(4)]
    table, said = told(*fallen, *rising)
    assert "8 of 16 runs in ramps" in said
    assert "trained on entropy 8 of 8; trained on expert 0 of 8." in said
    assert "in 8 of 8 runs that failed, 350 fs before it in the median" in said
    assert "in 0 of 8 that did not fail: it warns (p = 0.014" in said
    page = ramps_page(table)
    assert said.split(":")[0] in page
    assert page.count("<table") == 2
    _, said = told(fallen[0], rising[0].assign(crossed=0.0))
    assert "in 2 of 2 that did not fail: that it warns is not shown" in said
    _, said = told(*rising)
    assert "is not decided, as no run failed; it crossed its threshold in 0 of 8" in said
    _, said = told(*fallen)
    assert "without ramps that no run failed in" in said
    _, said = told(fallen[0].assign(threshold=np.nan, crossed=np.nan))
    assert "there is no threshold of novelty" in said


def test_released_ramps_say_of_which_potentials_they_are():
    _, said = told(made_up(), origin="released", same=False)
    assert "other bytes for entropy linear4 (released abc): `snakemake ramps` runs yours" in said
    _, said = told(made_up(), origin="released")
    assert said.endswith("The runs are released ones, of these very potentials.")


def test_runs_are_those_of_the_potentials_of_the_study(tmp_path):
    made = pd.concat([made_up(model="second"), made_up(model="other"), made_up()])
    made.to_csv(tmp_path / "rows.csv", index=False)
    both = [["entropy", "linear4"], ["entropy", "second"], ["entropy", "absent"]]
    rows = read_runs([tmp_path / "rows.csv"], ["crossed"], both)
    assert list(dict.fromkeys(rows["model"])) == ["linear4", "second"]
    with pytest.raises(ValueError, match="no runs of the potentials that dynamics.models"):
        read_runs([tmp_path / "rows.csv"], ["crossed"], both[2:])
    rows = read_runs([tmp_path / "rows.csv"], ["crossed"], [["entropy", "linear4"]])
    assert set(rows["model"]) == {"linear4"}
    with pytest.raises(ValueError, match="has no column absent"):
        read_runs([tmp_path / "rows.csv"], ["absent"], [["entropy", "linear4"]])
    folder = tmp_path / "entropy/linear4"
    folder.mkdir(parents=True)
    (folder / "potential.lammps").write_text("pair_style zero 5\n")
    pair = [["entropy", "linear4"]]
    table = with_origin(survival_table(rows), pair, [folder / "potential.lammps"], "released")
    assert table["same_potential"].tolist() == [False]


def test_the_figure_draws_every_run():
    rows = pd.concat([made_up(reached=(0.5, 1.0)), made_up("expert")])
    figure = ramp_panels(rows, {"entropy": "entropy", "expert": "expert"})
    above, below = figure.axes
    curves = above.get_lines()
    assert [line.get_ydata()[-1] for line in curves] == pytest.approx([0.5, 1.0], abs=0.02)
    assert len(below.get_lines()) == 4 + 1 + 1  # runs, a cross, the threshold
    assert below.get_lines()[0].get_ydata().tolist() == [0.5] * 6 + [1.5]
    assert below.get_lines()[0].get_xdata()[-1] == 0.5
    figure.clear()
