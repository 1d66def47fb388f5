"""Coverage of the intervals of theta, on pools that are drawn anew; run it as a program.

Everything random in the default study follows from its seed. With another seed each, so many
studies are generated from nothing: entropy-maximised, random and expert pools of the default size,
and test sets. A reference potential (EAM, W_zhou) labels them; linear and quadratic SNAP is fitted
to every draw of the pools and its halves, and effects with their intervals are measured as the
study does. The truth of an effect is its mean over the studies; an interval covers it or not. The
mean holds the study itself, so a deviation from it is divided by √(1 - 1 / studies), after which it
has the variance of an effect.

Written is a row an effect (`coverage.csv`): truth, standard deviation over studies beside those
that a study tells by itself (√⟨σ²⟩ over studies), and in how many the interval holds the truth.
"""

import argparse
import sys
import time
from pathlib import Path

import numpy as np
import pandas as pd
import yaml
from ase import Atoms
from ase.calculators.singlepoint import SinglePointCalculator
from scipy.stats import t as student

sys.path.insert(0, str(Path(__file__).parents[2] / "workflow/scripts"))

from diverse.datasets.draws import draw_cells, draws_table
from diverse.datasets.split import Outline
from diverse.descriptors.whitening import Whitening
from diverse.errors.by_cell import LabelledSets
from diverse.errors.draws import read_cells, read_errors, read_table
from diverse.errors.effects import PAIR, measure_effects, reference_set, summary
from diverse.errors.ground import CLOSEST, NO_SKILL
from diverse.errors.inventory import compositions, describe_cells
from diverse.errors.material import SIZES, Ground, Material
from diverse.errors.theta import DECISIVE
from diverse.lammps_library import evaluate
from diverse.models.polynomial.fit import fit_streaming
from diverse.models.polynomial.settings import FitSettings
from diverse.study.check import load_study
from diverse.study.chunks import expert_cells_of, fit_whitening, sampled_chunk
from diverse.study.rounds import chunk_round
from diverse.study.settings import repulsion

ROOT = Path(__file__).parents[2]
SETS = ["entropy", "random", "expert", "hot", "strained", "extremes"]
TRAINS = SETS[:3]
MODELS = {"linear6": ("linear", 6), "quadratic4": ("quadratic", 4)}
ORACLE = ("eam/alloy", ["* * W_zhou.eam.alloy W"])
OPTIONAL = ("convergence", "learning_curve", "mixtures", "weight_sensitivity", "subsets")
SMALLEST = 7  # test cells of a group whose own effect is looked at


def make_study(seed: int) -> dict:
    """Return the default study with another seed, and the models of this benchmark."""
    study = yaml.safe_load((ROOT / "config/config.yaml").read_text())
    study = {name: study[name] for name in study if name not in OPTIONAL}
    study["datasets"] = {name: study["datasets"][name] for name in SETS}
    del study["datasets"]["extremes"]["groups"]["clusters"]  # of skill with some seeds alone
    study["models"] = {
        name: {"family": family, "twojmax": twojmax, "energy_weight": 10}
        for name, (family, twojmax) in MODELS.items()
    }
    return load_study(study | {"seed": seed}, str(ROOT / "workflow/schemas/study.schema.yaml"))


def make_cells(study: dict) -> dict[str, list[Atoms]]:
    """Return the labelled cells of every data set of a study."""
    whitening = fit_whitening(study)
    cells = {}
    for name, dataset in study["datasets"].items():
        chunks = range(dataset["chunks"])
        if dataset["family"] == "expert":
            every = expert_cells_of(study, name, dataset)
            made = [cell for n in chunks for cell in every[n :: dataset["chunks"]]]
        else:
            made = make_sampled(study, name, dataset, whitening)
        cells[name] = label(made)
    return cells


def make_sampled(study: dict, name: str, dataset: dict, whitening: Whitening) -> list[Atoms]:
    """Return the cells of a sampled set: every round sees what the earlier rounds accepted."""
    cells: list[Atoms] = []
    earlier = before = None
    for chunk in range(dataset["chunks"]):
        if chunk_round(dataset, chunk) != chunk_round(dataset, max(chunk - 1, 0)):
            earlier = before
        sample = sampled_chunk(
            study, name=name, dataset=dataset, chunk=chunk, whitening=whitening, earlier=earlier
        )
        cells += sample.cells
        before = sample.statistics if before is None else before.merged(sample.statistics)
    return cells


def label(cells: list[Atoms]) -> list[Atoms]:
    """Label cells by the reference potential."""
    for number, (cell, found) in enumerate(zip(cells, evaluate(cells, *ORACLE), strict=True)):
        results = {"energy": found.energy, "free_energy": found.energy, "forces": found.forces}
        cell.calc = SinglePointCalculator(cell, **results)
        cell.info |= {"key": f"{cell.info['dataset']}{number}", "protocol": "oracle"}
    return cells


def measure_errors(study: dict, cells: dict[str, list[Atoms]]) -> tuple[pd.DataFrame, ...]:
    """Fit the models to every draw; return errors, test cells and sizes of training sets."""
    options = {"cutoff": study["cutoff"], "zbl": repulsion(study)}
    split, tables = study["split"], {}
    for name, members in cells.items():
        outlines = [Outline.of(cell) for cell in members]
        cut = {
            "test_fraction": split["test_fraction"] if name in TRAINS else 1.0,
            "train_environments": split["train_environments"],
        }
        parts = [
            draw_cells(outlines, name, draw, seed=study["seed"], **cut)
            for draw in range(split["draws"])
        ]
        tables[name] = draws_table(outlines, [cell.info["key"] for cell in members], parts)
    sets = LabelledSets(cells, tables, **options)
    drawn = [part for train in TRAINS for part in sets.drawn(train)]
    rows = []
    for name, model in study["models"].items():
        for part in drawn:
            chosen = sets.cells(part.cells)
            found, *_ = fit_streaming(chosen.copy, FitSettings.of(model), **options)
            rows.append(sets.errors(found, part, name=name, seed=0))
    described = describe_cells({name: dict(enumerate(of_set)) for name, of_set in cells.items()})
    return pd.concat(rows), described, compositions(drawn, described)


def write_study(seed: int, folder: Path) -> None:
    """Make the study of one seed, and write the errors that effects are measured from."""
    start = time.process_time()
    study = make_study(seed)
    cells = make_cells(study)
    made = time.process_time()
    for path, table in zip(files(seed, folder), measure_errors(study, cells), strict=True):
        table.to_csv(path, index=False)
    seconds = (made - start, time.process_time() - made)
    print(f"seed {seed}:", *(f"{part:.0f} s" for part in seconds), flush=True)


def files(seed: int, folder: Path) -> list[Path]:
    """Return the files of a study: errors, test cells, sizes of training sets."""
    return [folder / f"{name}-{seed}.csv.xz" for name in ("errors", "cells", "sizes")]


def study_effects(seed: int, folder: Path) -> pd.DataFrame:
    """Return all effects of the study of one seed: of test sets, and of groups by themselves."""
    errors, described, sizes = files(seed, folder)
    families = {name: name if name in TRAINS else "expert" for name in SETS}
    material = Material.of(
        read_errors([errors]),
        read_cells(described),
        read_table(sizes, SIZES),
        classes={name: family for name, (family, _) in MODELS.items()},
        families=families,
    )
    reference = reference_set(TRAINS, families)
    effects, _ = measure_effects(material, TRAINS, reference)
    decisive = effects[effects["metric"] == effects["quantity"].map(DECISIVE)]
    found = [decisive.assign(level="test set", group="all"), group_effects(material, reference)]
    return pd.concat(found).assign(seed=seed)


def group_effects(material: Material, reference: str) -> pd.DataFrame:
    """Return the effect on every group of at least 7 test cells by itself."""
    rows = []
    for quantity, metric in DECISIVE.items():
        ground = Ground.of(material, quantity)
        logs = {train: ground.logs(material, train, metric) for train in TRAINS}
        for train in TRAINS:
            delta = logs[train] - logs[reference]
            for number, group in enumerate(ground.groups):
                if train == reference or len(group.cells) < SMALLEST:
                    continue
                forms = list(range(len(material.classes)))
                shrink = max(material.shrink[name] for name in (train, reference))
                chosen = delta.take(forms, [number])
                found = summary(chosen, list(material.classes.values()), shrink)
                pair = [ground.relations[name][number] for name in (train, reference)]
                relation = min(pair, key=CLOSEST.index) if ground.skill[number] else NO_SKILL
                names = [group.test, relation, quantity, metric, train, reference]
                numbers = {"theta": found.value, "sigma_set": found.sigma_set}
                numbers |= {"sigma_test": found.sigma_test, "draws": found.draws}
                fixed = {"level": "group", "group": group.name, "groups": 1} | numbers
                rows.append(dict(zip(PAIR, names, strict=True)) | fixed)
    return pd.DataFrame(rows)


def coverage(effects: pd.DataFrame) -> pd.DataFrame:
    """Return how often intervals hold the truth, a row an effect that every study has.

    With other groups of cells in its row, for their skill, it is another effect.
    """
    keys = ["level", "group", "groups", *(name for name in PAIR if name != "metric")]
    studies, rows = effects["seed"].nunique(), []
    for names, part in effects.groupby(keys, sort=False):
        part = part.dropna(subset=["theta", "sigma_set", "sigma_test"])
        if len(part) < studies:
            continue
        truth, deviation = part["theta"].mean(), part["theta"].std(ddof=1)
        sigma = np.hypot(part["sigma_set"], part["sigma_test"])
        reach = student.ppf(0.975, part["draws"] - 1) * sigma
        off = (part["theta"] - truth).abs() / np.sqrt(1 - 1 / studies)
        told = {name: np.sqrt((part[name] ** 2).mean()) for name in ("sigma_set", "sigma_test")}
        counts = {"studies": studies, "covered": int((off < reach).sum())}
        fixed = {"truth": truth, "deviation": deviation}
        rows.append(dict(zip(keys, names, strict=True)) | fixed | told | counts)
    return pd.DataFrame(rows)


def main() -> None:
    """Measure effects of studies of many seeds; print and write the coverage of their intervals."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path, help="errors of every study, and coverage.csv")
    parser.add_argument("--studies", type=int, default=10)
    parser.add_argument("--first", type=int, default=101, help="first seed; further ones follow")
    options = parser.parse_args()
    options.folder.mkdir(parents=True, exist_ok=True)
    seeds = range(options.first, options.first + options.studies)
    for seed in seeds:
        if not files(seed, options.folder)[-1].exists():
            write_study(seed, options.folder)
    table = coverage(pd.concat([study_effects(seed, options.folder) for seed in seeds]))
    table.to_csv(options.folder / "coverage.csv", index=False)
    for (level, relation), part in table.groupby(["level", "relation"]):
        total = part["studies"].sum()
        print(f"{level}, {relation}: {part['covered'].sum()} of {total} intervals hold the truth")
    print(f"all: {table['covered'].sum() / table['studies'].sum():.3f} of {table['studies'].sum()}")


if __name__ == "__main__":
    main()
