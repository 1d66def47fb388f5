"""Shared test material: small tungsten cells of every kind, labelled by a reference potential."""

import os
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import numpy as np
import pytest
from ase import Atoms
from ase.build import bulk, surface
from xdist.remote import Producer
from xdist.scheduler import LoadScopeScheduling

import slurm_cluster
from diverse import lammps_library
from diverse.dynamics import Evaluate
from diverse.labels.chunk import label_cells
from diverse.labels.labellers import Labeller, make_labeller
from diverse.labels.ledger import Ledger
from diverse.labels.pool import Effort
from diverse.models import Predictions
from diverse.structures import ReferenceLattice, tagged
from drills import Drill
from paths import ROOT, snakemake

STUDIES = ("smoke", "slurm", "faults")  # folders of tests that share one run of the smoke study


def triclinic(n_atoms: int, seed: int) -> Atoms:
    """Random skewed cell of `n_atoms` at tungsten's density; atoms are not kept apart."""
    rng = np.random.default_rng(seed)
    cell = np.eye(3) + rng.uniform(-0.35, 0.35, (3, 3))
    cell *= (n_atoms * 16.0 / np.linalg.det(cell)) ** (1 / 3)
    positions = rng.uniform(size=(n_atoms, 3)) @ cell
    return Atoms(["W"] * n_atoms, positions=positions, cell=cell, pbc=True)


class ByFile(LoadScopeScheduling):
    """Each file goes to one of the processes; all files of whole studies to the same, first."""

    def _split_scope(self, nodeid: str) -> str:
        path = Path(nodeid.split("::")[0])
        return "studies" if path.parent.name in STUDIES else str(path)


def pytest_configure(config: pytest.Config) -> None:
    if not hasattr(config, "workerinput"):
        slurm_cluster.clear()


def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> ByFile:
    return ByFile(config, log)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    items.sort(key=lambda item: item.path.parent.name not in STUDIES)


@pytest.fixture(autouse=True)
def closed_figures():
    """Close the figures of a test, which pyplot would keep for the ones after it."""
    yield
    if "matplotlib.pyplot" in sys.modules:
        sys.modules["matplotlib.pyplot"].close("all")


@pytest.fixture
def drilled(record_property) -> Callable[..., None]:
    """Take down a drill of the test for the table of faults, which holds those of passed tests."""

    def note(fault: str, outcome: str, *, times: int = 1, lost: str = "nothing") -> None:
        record_property("drill", Drill(fault=fault, times=times, lost=lost, outcome=outcome))

    return note


@pytest.fixture(scope="session")
def lattice() -> ReferenceLattice:
    return ReferenceLattice("W", "bcc", 3.165)


@pytest.fixture(scope="session")
def cells() -> dict[str, Atoms]:
    """Bulk, slab, and 1-, 2-, 5- and 16-atom triclinic cells."""
    rattled = bulk("W", cubic=True, a=3.165).repeat((2, 2, 1))
    rattled.rattle(0.15, seed=1)
    slab = surface(bulk("W", cubic=True, a=3.165), (1, 1, 0), 3, vacuum=5.0)
    slab.pbc = True
    skewed = {f"triclinic{n}": triclinic(n, seed=n) for n in (1, 2, 5, 16)}
    return {"bulk": rattled, "slab": slab, **skewed}


@pytest.fixture(scope="session")
def zhou_batches() -> Iterator[Evaluate]:
    """Energies, forces and stresses of cells by the EAM potential of Zhou."""
    evaluator = lammps_library.Evaluator("eam/alloy", ["* * W_zhou.eam.alloy W"])

    def evaluate(cells: Sequence[Atoms]) -> Predictions:
        found = [evaluator(cell) for cell in cells]
        energies = np.array([result.energy for result in found])
        forces = np.concatenate([result.forces for result in found])
        return Predictions(energies, forces, np.array([result.stress for result in found]))

    yield evaluate
    evaluator.close()


@pytest.fixture(scope="session")
def zhou() -> Labeller:
    return make_labeller(
        {
            "element": "W",
            "kind": "lammps",
            "pair_style": "eam/alloy",
            "pair_coeff": ["* * W_zhou.eam.alloy W"],
        }
    )


@pytest.fixture(scope="session")
def labelled(zhou: Labeller, tmp_path_factory: pytest.TempPathFactory) -> list[Atoms]:
    """40 displaced and strained bcc cells of 2 to 4 atoms with labels of the EAM potential."""
    folder = tmp_path_factory.mktemp("ledger")
    rng, cells = np.random.default_rng(5), []
    for index in range(40):
        atoms = bulk("W", a=3.165).repeat((2, 1 + index % 2, 1))
        strain = np.eye(3) + rng.uniform(-0.08, 0.08, (3, 3))
        atoms.set_cell(atoms.cell.array @ strain, scale_atoms=True)
        atoms.positions += rng.normal(0, 0.15, atoms.positions.shape)
        cells.append(tagged(atoms, "strained", f"strained_{index}"))
    ledger = Ledger(folder / "ledger.xyz")
    return label_cells(cells, zhou, ledger, effort=Effort(), log=folder / "log", say=print)


@pytest.fixture(scope="session")
def study(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder in which the smoke study was run to its end on this machine, once for all tests.

    DIVERSE_STUDY may name one that is finished, and spare the run.
    """
    if finished := os.environ.get("DIVERSE_STUDY"):
        return Path(finished)
    directory = tmp_path_factory.mktemp("smoke")
    snakemake(directory, "--configfile", str(ROOT / "config/smoke.yaml"))
    return directory
