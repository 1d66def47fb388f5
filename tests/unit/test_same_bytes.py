"""Trained networks are the same bytes whatever instructions and threads a machine offers."""

import hashlib
import os
import subprocess
import sys

import numpy as np
import pytest
from ase.build import bulk
from ase.calculators.singlepoint import SinglePointCalculator

from diverse.kernel import BispectrumSettings, exponential_sums
from diverse.kernel.library import available_isas, reproducible_isa
from diverse.models.network.data import training_cells
from diverse.models.network.loop import train_networks
from diverse.models.network.settings import TrainingSettings
from diverse.zbl import ZBL
from paths import ROOT

# What numpy, its BLAS and the kernel choose by themselves on other machines, and threads.
MACHINES = [
    {
        "DIVERSE_KERNEL_ISA": "avx2",
        "NPY_DISABLE_CPU_FEATURES": "X86_V4 AVX512_ICL AVX512_SPR",
        "OMP_NUM_THREADS": "1",
    },
    {
        "NPY_DISABLE_CPU_FEATURES": "X86_V3 X86_V4 AVX512_ICL AVX512_SPR",
        "OPENBLAS_CORETYPE": "Nehalem",
        "OMP_NUM_THREADS": "3",
    },
]


def trained():
    """Return a hash of networks trained on made-up labels, in float32 and on either path."""
    rng, cells, digest = np.random.default_rng(0), [], hashlib.sha256()
    for number in range(24):
        atoms = bulk("W", a=3.165).repeat((2, 1 + number % 3, 1))
        atoms.positions += rng.normal(0, 0.2, atoms.positions.shape)
        atoms.info = {"config_type": "made", "trajectory": f"made_{number}"}
        atoms.calc = SinglePointCalculator(atoms)
        energy, forces = rng.normal(-12, 1) * len(atoms), rng.normal(0, 1, atoms.positions.shape)
        atoms.calc.results = {"energy": energy, "free_energy": energy, "forces": forces}
        cells.append(atoms)
    data = training_cells(cells, BispectrumSettings(6, 4.734), ZBL("W", 4.0, 4.8))
    for jacobians in ("cached", "matrix_free"):
        settings = TrainingSettings(
            widths=[32, 16, 8],
            energy_weight=10,
            force_weight=1,
            epochs=5,
            batch=4,
            learning_rate=0.01,
            weight_decay=1e-3,
            validation_fraction=0.1,
            energy_scale=1.0,
            jacobians=jacobians,
        )
        members = [np.arange(24), np.arange(3, 24)]
        for model, history in train_networks(data, members, settings, [1, 2], curves=True):
            for array in model.arrays().values():
                digest.update(np.ascontiguousarray(array).data)
            digest.update(repr(history).encode())
    return digest.hexdigest()


def trained_elsewhere(environment):
    """Return the hash as a process of its own finds it under some environment variables."""
    folders = [ROOT / "workflow/scripts", ROOT / "tests", ROOT / "tests/unit"]
    variables = {"PYTHONPATH": os.pathsep.join(map(str, folders)), **environment}
    program = "import test_same_bytes; print(test_same_bytes.trained())"
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", program],
        env=os.environ | variables,
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout.strip()


@pytest.mark.skipif("avx2" not in available_isas(), reason="this CPU has no AVX2")
@pytest.mark.parametrize("machine", MACHINES, ids=["without AVX-512", "plain numpy"])
def test_networks_are_the_same_bytes(machine):
    assert reproducible_isa() == "avx2"
    assert trained_elsewhere(machine) == trained()


def test_the_exponential_is_that_of_the_library():
    """Each of the exponentials of a sum, and with their factors the derivatives."""
    x = np.concatenate([np.linspace(-5, 699, 20_001), [0.0]])
    value, slope, curvature = exponential_sums(x, np.ones(1), np.ones(1))
    np.testing.assert_allclose(value, np.exp(-x), rtol=5e-16)
    np.testing.assert_array_equal(slope, -value)
    np.testing.assert_array_equal(curvature, value)
    assert 0 <= exponential_sums(np.array([1e9]), np.ones(1), np.ones(1))[0, 0] < 1e-300
    found = exponential_sums(x, np.array([2.0, 3.0]), np.array([0.5, 0.25]))
    halves, quarters = 2 * np.exp(-x / 2), 3 * np.exp(-x / 4)
    np.testing.assert_allclose(found[0], halves + quarters, rtol=1e-15)
    np.testing.assert_allclose(found[1], -halves / 2 - quarters / 4, rtol=1e-15)
    np.testing.assert_allclose(found[2], halves / 4 + quarters / 16, rtol=1e-15)
