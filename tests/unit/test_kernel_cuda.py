"""The CUDA kernel, emulated on the host: parity with the C++ kernel, errors, and what nvcc says."""

import os
import re
import shutil
import subprocess
from types import SimpleNamespace

import numpy as np
import pytest
import torch

from diverse.kernel import BispectrumSettings, Kernel, build, cuda_build
from diverse.kernel.cuda_kernel import CudaKernel
from diverse.kernel.device import EMULATION, DeviceError, Library, find_device
from kernel_cases import CUTOFF, ROUNDING, Case, displaced_bulk, slab, triclinic

# Each size and type is compiled once; with DIVERSE_THOROUGH=1 all that a card computes.
THOROUGH = bool(os.environ.get("DIVERSE_THOROUGH"))
TWOJMAX = range(2, cuda_build.MAX_TWOJMAX + 1) if THOROUGH else (2, 3, 4)


def batch(*cases: Case) -> tuple[np.ndarray, np.ndarray]:
    """Return vectors and first pairs of the atoms of some cells, one after the other."""
    pairs = [case.pairs() for case in cases]
    counts = np.concatenate([np.diff(part.first) for part in pairs])
    vectors = np.concatenate([part.vector for part in pairs])
    return vectors, np.concatenate([[0], np.cumsum(counts)])


def lonely() -> Case:
    """Return one atom out of reach of its own images: it has no neighbour."""
    return Case(np.zeros((1, 3)), np.eye(3) * 3 * CUTOFF)


def mixed() -> tuple[np.ndarray, np.ndarray]:
    """Return cells of 1 to 16 atoms with a lonely one first, amid and last: two groups of atoms."""
    return batch(lonely(), triclinic(16), triclinic(1), lonely(), triclinic(16, 1), lonely())


def emulated(settings: BispectrumSettings, dtype: str = "float64", **options: int) -> CudaKernel:
    """Return the CUDA kernel on the host."""
    return CudaKernel(settings, dtype, EMULATION, **options)


def random_like(array: np.ndarray, seed: int) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=array.shape)


def results(kernel, vectors: np.ndarray, first: np.ndarray) -> dict[str, np.ndarray]:
    """Return what either kernel computes of a batch, in float64."""
    components = np.empty((len(first) - 1, kernel.settings.n_components))
    cotangent, tangent = random_like(components, 1), random_like(vectors, 2)
    given = [vectors, first, cotangent, tangent]
    if isinstance(kernel, CudaKernel):
        v, c, t = (
            torch.tensor(array, dtype=kernel.dtype) for array in (vectors, cotangent, tangent)
        )
        given = [v, torch.tensor(first), c, t]
    v, f, c, t = given
    found = kernel.forward(v, f), kernel.vjp(v, f, c), kernel.jvp(v, f, t)
    names = ("forward", "vjp", "jvp")
    return {name: np.asarray(array, float) for name, array in zip(names, found, strict=True)}


def assert_equal_results(found: dict, expected: dict, tolerance: float) -> None:
    for name, array in expected.items():
        limit = tolerance * abs(array).max()
        np.testing.assert_allclose(found[name], array, rtol=0, atol=limit, err_msg=name)


@pytest.mark.parametrize("twojmax", TWOJMAX)
def test_agrees_with_the_kernel_of_the_cpu(twojmax: int) -> None:
    settings, given = BispectrumSettings(twojmax, CUTOFF), mixed()
    expected = results(Kernel(settings), *given)
    assert_equal_results(results(emulated(settings), *given), expected, ROUNDING)


@pytest.mark.parametrize("twojmax", [2, 5, 8] if THOROUGH else [2])
def test_single_precision_agrees_within_its_rounding(twojmax: int) -> None:
    """As ROUNDING of kernel_cases.py is to float64: about 500 roundings, ten times that."""
    settings, given = BispectrumSettings(twojmax, CUTOFF), mixed()
    expected = results(Kernel(settings), *given)
    found = results(emulated(settings, "float32"), *given)
    assert_equal_results(found, expected, 5000 * float(np.finfo(np.float32).eps))


@pytest.mark.parametrize(
    "settings",
    [
        BispectrumSettings(4, CUTOFF, rfac0=0.9, rmin0=0.5),
        BispectrumSettings(4, CUTOFF, bzero=False),
        BispectrumSettings(4, 3.2),
    ],
    ids=["rmin0", "without bzero", "pairs beyond the cutoff"],
)
def test_all_settings_count(settings: BispectrumSettings) -> None:
    given = batch(displaced_bulk(), slab())
    expected = results(Kernel(settings), *given)
    assert_equal_results(results(emulated(settings), *given), expected, ROUNDING)


def test_a_strained_cell_has_the_components_of_the_cpu() -> None:
    case = triclinic(5)
    change = np.eye(3) + np.array([[0.1, 0.05, 0], [0, -0.1, 0.02], [0.03, 0, 0.07]])
    given = batch(Case(case.positions @ change, case.cell @ change))
    settings = BispectrumSettings(4, CUTOFF)
    expected = results(Kernel(settings), *given)
    assert_equal_results(results(emulated(settings), *given), expected, ROUNDING)


def test_no_atoms_and_no_pairs() -> None:
    settings = BispectrumSettings(4, CUTOFF)
    kernel, none = (
        emulated(settings),
        torch.empty((0, 3), dtype=torch.float64),
    )
    assert kernel.forward(none, torch.zeros(1, dtype=torch.int64)).shape == (0, 14)
    alone = kernel.forward(none, torch.zeros(3, dtype=torch.int64))
    expected = Kernel(settings).forward(none.numpy(), np.zeros(3, dtype=int))
    np.testing.assert_allclose(alone, expected, atol=ROUNDING)


def test_results_depend_neither_on_the_pieces_nor_on_the_other_atoms() -> None:
    settings, (vectors, first) = BispectrumSettings(4, CUTOFF), mixed()
    whole = results(emulated(settings), vectors, first)
    pieces = results(emulated(settings, atoms_at_once=7), vectors, first)
    for name, array in whole.items():
        np.testing.assert_array_equal(pieces[name], array)


class Cramped(CudaKernel):
    """A kernel on a card that has room for the sums of so many atoms."""

    room = 20

    def _sums(self, piece, vectors):
        if piece.n > self.room:
            raise torch.OutOfMemoryError("CUDA out of memory.")
        return super()._sums(piece, vectors)


def test_a_card_without_room_gets_smaller_pieces(monkeypatch, caplog) -> None:
    settings, (vectors, first) = BispectrumSettings(2, CUTOFF), mixed()
    expected = emulated(settings)
    monkeypatch.setattr("diverse.kernel.cuda_kernel.FEWEST_ATOMS", 1)
    given = torch.tensor(vectors), torch.tensor(first)
    found = Cramped(settings, "float64", EMULATION).forward(*given)
    np.testing.assert_array_equal(found, expected.forward(*given))
    assert "has no memory for 36 atoms at once: going on with 18" in caplog.text


def test_a_card_without_any_room_gives_a_sentence(monkeypatch) -> None:
    monkeypatch.setattr(Cramped, "room", 0)
    kernel = Cramped(BispectrumSettings(2, CUTOFF), "float64", EMULATION)
    vectors, first = batch(triclinic(2))
    with pytest.raises(RuntimeError, match="no memory left for the descriptors of 2 atoms: end"):
        kernel.forward(torch.tensor(vectors), torch.tensor(first))


def test_bad_input_gives_a_sentence() -> None:
    kernel = emulated(BispectrumSettings(2, CUTOFF))
    vectors, first = (torch.tensor(array) for array in batch(triclinic(2)))
    short = vectors.clone()
    short[3] = 1e-4
    nan = vectors.clone()
    nan[-1, 0] = float("nan")
    for bad, message in (
        ((vectors[:, :2], first), r"shape \(\d+, 2\); it must be \(n_pairs, 3\)"),
        ((vectors.float(), first), r"vectors is torch.float32 on cpu; it must be contiguous"),
        ((vectors.T.contiguous().T, first), r"vectors is not contiguous, torch.float64 on cpu"),
        ((vectors, first[:-1]), r"from 0 to the number of vectors, \d+"),
        ((short, first), r"vector of pair 3, of atom 0, is .* longer than 0.001 Å"),
        ((nan, first), r"of atom 1, is \[nan, .* must be finite"),
    ):
        with pytest.raises(ValueError, match=message):
            kernel.forward(*bad)
    with pytest.raises(ValueError, match=r"cotangent has the shape \(2, 3\); it must be \(2, 5\)"):
        kernel.vjp(vectors, first, torch.ones((2, 3), dtype=torch.float64))
    with pytest.raises(ValueError, match=r"not finite, at index \(0, 1\)"):
        kernel.vjp(vectors, first, torch.tensor([[0, np.inf, 0, 0, 0]] * 2, dtype=torch.float64))


def test_a_twojmax_that_no_card_has_room_for_gives_a_sentence() -> None:
    with pytest.raises(
        ValueError, match="twojmax is 12, but on a card it must be between 2 and 10"
    ):
        emulated(BispectrumSettings(12, CUTOFF))


def test_device_names(caplog) -> None:
    """The torch of the study is a CPU build: a card can be asked for, but not found."""
    assert find_device("cpu") is None
    if torch.version.cuda is not None:
        pytest.skip("torch is a CUDA build: tests/device/run checks what a card does")
    with pytest.raises(DeviceError, match="is a build for CPUs: start the study with ./envs/run"):
        find_device("cuda")
    assert caplog.text == ""
    assert find_device("auto") is None
    assert "device: auto takes the CPU. device is 'cuda', but torch" in caplog.text


def test_no_driver_and_no_nvcc_give_sentences(monkeypatch, tmp_path) -> None:
    monkeypatch.setattr(torch.version, "cuda", "13.0")

    def init():
        raise RuntimeError("The NVIDIA driver on your system is too old (found version 1).\nMore.")

    monkeypatch.setattr(torch.cuda, "init", init)
    with pytest.raises(DeviceError, match=r"no card can be used: The NVIDIA driver .* nvidia-smi"):
        find_device("cuda")
    monkeypatch.setenv("CUDA_HOME", str(tmp_path))
    with pytest.raises(RuntimeError, match=r"no nvcc in .*/bin \(CUDA_HOME\). Install the CUDA"):
        cuda_build.find_nvcc()
    monkeypatch.delenv("CUDA_HOME")
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(RuntimeError, match="no nvcc on PATH. Install the CUDA toolkit"):
        cuda_build.find_nvcc()


@pytest.mark.parametrize(
    ("major", "memory", "message"),
    [(6, 10**6, "capability 6.0, below 7.5"), (8, 10_000, "takes 31872 bytes .* has 10000")],
)
def test_an_old_and_a_small_card_give_sentences(monkeypatch, major, memory, message) -> None:
    card = SimpleNamespace(
        name="a card", major=major, minor=0, shared_memory_per_block_optin=memory
    )
    monkeypatch.setattr(torch.version, "cuda", "13.0")
    monkeypatch.setattr(torch.cuda, "init", lambda: None)
    monkeypatch.setattr(torch.cuda, "current_device", lambda: 0)
    monkeypatch.setattr(torch.cuda, "get_device_properties", lambda _: card)
    monkeypatch.setattr(cuda_build, "find_nvcc", lambda: "nvcc")
    emulated = cuda_build.built(4, "float64", None)
    monkeypatch.setattr(cuda_build, "built", lambda *_: emulated)
    with pytest.raises(DeviceError, match=message):
        find_device("cuda").library(4, "float64")


@pytest.fixture(scope="module")
def resources(tmp_path_factory) -> dict[str, tuple[int, int]]:
    """Registers and spilled bytes of every function of 2Jmax 4 in float64, compiled for an H100."""
    if not THOROUGH:
        pytest.skip("nvcc takes minutes: DIVERSE_THOROUGH=1 asks for them")
    if shutil.which("nvcc") is None:
        pytest.skip("there is no nvcc here (PyPI has one: pip install nvidia-cuda-nvcc)")
    target = cuda_build.target(4, "float64", cuda_build.Hardware("90", 232448))
    output = tmp_path_factory.mktemp("cuda") / "kernel.so"
    command = [cuda_build.find_nvcc(), *target.all_flags, "-Xptxas", "-v"]
    done = subprocess.run(
        [*command, str(target.main_source), "-o", str(output)],
        capture_output=True,
        text=True,
        check=True,
    )
    assert "warning" not in done.stderr
    found = re.findall(
        r"entry function '_ZN7diverse\d+([a-z_]+)(?:.|\n)*?(\d+) bytes spill stores"
        r"(?:.|\n)*?Used (\d+) registers",
        done.stderr,
    )
    return {name: (int(registers), int(spilled)) for name, spilled, registers in found}


def test_nvcc_compiles_it_without_spills(resources) -> None:
    """Blocks that `Tuning` wants on a multiprocessor at once share its 65,536 registers."""
    threads = {"make_adjoint": 4 * 128, "contract": 4 * 128, "pull_back": 4 * 128}
    threads |= {"sum_neighbours": 3 * 96, "sum_changes": 3 * 96}
    assert set(threads) < set(resources)
    for name, (registers, spilled) in resources.items():
        assert spilled == 0, name
        assert registers * threads.get(name, 256) <= 65_536, name


def test_a_missing_barrier_would_be_seen(tmp_path) -> None:
    """The emulation fills shared memory with NaN: without barriers its results are not numbers."""
    sources = tmp_path / "cuda"
    shutil.copytree(cuda_build.CUDA_SOURCES, sources)
    (tmp_path / "cpp").mkdir()
    shutil.copy(build.SOURCES / "clebsch_gordan.hpp", tmp_path / "cpp")
    text = (sources / "adjoint.hpp").read_text()
    assert text.count("__syncthreads();") == 1
    (sources / "adjoint.hpp").write_text(text.replace("__syncthreads();", ""))
    target = cuda_build.target(2, "float64", None)
    path = tmp_path / "broken.so"
    command = [build.find_compiler(), *target.all_flags, str(sources / "interface.cu")]
    subprocess.run([*command, "-o", str(path)], check=True)
    kernel = emulated(BispectrumSettings(2, CUTOFF))
    kernel._library = Library(str(path))
    vectors, first = (torch.tensor(array) for array in batch(triclinic(16)))
    assert kernel.forward(vectors, first).isfinite().all()
    gradient = kernel.vjp(vectors, first, torch.ones((16, 5), dtype=torch.float64))
    assert not gradient.isfinite().all()
