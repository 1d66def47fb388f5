"""Build of the CUDA kernel on demand, for one type of number and one 2Jmax: with nvcc, or g++.

Nothing of it is built with the study's environment: the first use on a card does, in half a minute
to two minutes, into the same folder and by the same rules as build.py. g++ compiles the same
sources for a host that plays a card (cuda/emulation.hpp), which tests use.
"""

import os
import shutil
from dataclasses import dataclass
from pathlib import Path

from diverse.kernel import build
from diverse.kernel.kernel import DType

CUDA_SOURCES = Path(__file__).parent / "cuda"
MAX_TWOJMAX = 10  # beyond, the sums of 32 atoms fit no multiprocessor

NVCC_FLAGS = (
    *("-std=c++17", "-O3", "--expt-relaxed-constexpr", "-shared", "-cudart", "static"),
    *("-Xcompiler", "-fPIC,-fvisibility=hidden"),
)
EMULATION_FLAGS = (
    *("-std=c++20", "-O1", "-x", "c++", "-DDIVERSE_EMULATE", "-fPIC", "-shared"),
    *("-fvisibility=hidden", "-pthread", "-ffp-contract=off"),
)


@dataclass(frozen=True)
class Hardware:
    """Properties of a card that its code is compiled for.

    Attributes
    ----------
    architecture : str
        Number of its compute capability, such as "90".
    shared_memory : int
        Bytes that one block can get on a multiprocessor.
    """

    architecture: str
    shared_memory: int


@dataclass(frozen=True)
class CudaTarget(build.Target):
    """One shared object made from kernel/cuda/."""

    @property
    def all_flags(self) -> tuple[str, ...]:
        """Flags of nvcc, or of g++ for the emulation."""
        return self.flags

    @property
    def sources(self) -> list[Path]:
        """Files whose contents decide what is built."""
        own = [*CUDA_SOURCES.glob("*.hpp"), *CUDA_SOURCES.glob("*.cu")]
        return [*sorted(own), build.SOURCES / "clebsch_gordan.hpp"]

    @property
    def main_source(self) -> Path:
        """File that the compiler is given."""
        return CUDA_SOURCES / self.source


def target(twojmax: int, dtype: DType, hardware: Hardware | None) -> CudaTarget:
    """Return the shared object for a card; without one, of its emulation on the host.

    Raises
    ------
    ValueError
        For a 2Jmax that the CUDA kernel does not have.
    """
    if not 2 <= twojmax <= MAX_TWOJMAX:
        raise ValueError(
            f"twojmax is {twojmax}, but on a card it must be between 2 and {MAX_TWOJMAX}: use "
            "another one, or device: cpu."
        )
    shape = f"-DDIVERSE_REAL={build.REAL_TYPES[dtype]}", f"-DDIVERSE_TWOJMAX={twojmax}"
    if hardware is None:
        flags = (*EMULATION_FLAGS, *shape)
        return CudaTarget(f"emulation-{dtype}-{twojmax}", "interface.cu", flags)
    memory = f"-DDIVERSE_SHARED_MEMORY={hardware.shared_memory}"
    code = f"-gencode=arch=compute_{hardware.architecture},code=sm_{hardware.architecture}"
    flags = (*NVCC_FLAGS, code, memory, *shape)
    name = f"cuda-sm{hardware.architecture}-{dtype}-{twojmax}"
    return CudaTarget(name, "interface.cu", flags)


def find_nvcc() -> str:
    """Return nvcc: of $CUDA_HOME, or on PATH; raise RuntimeError when there is none."""
    home = os.environ.get("CUDA_HOME")
    path = shutil.which("nvcc", path=f"{home}/bin" if home else None)
    if path is None:
        where = f"in {home}/bin (CUDA_HOME)" if home else "on PATH"
        raise RuntimeError(
            f"The CUDA kernel cannot be built: there is no nvcc {where}. Install the CUDA toolkit, "
            "or name the folder of one in the environment variable CUDA_HOME, or use device: cpu."
        )
    return path


def built(twojmax: int, dtype: DType, hardware: Hardware | None) -> Path:
    """Return the path of a shared object, which is compiled if it is not there.

    Parameters
    ----------
    twojmax : int
    dtype : {"float64", "float32"}
    hardware : Hardware or None
        None for the emulation.

    Raises
    ------
    ValueError
        For a 2Jmax that the CUDA kernel does not have.
    RuntimeError
        When it must be built and there is no compiler, or it fails.
    """
    wanted, folder = target(twojmax, dtype, hardware), build.default_folder()
    path = build.library_path(wanted, folder=folder)
    if path.exists():
        return path
    compiler = build.find_compiler() if hardware is None else find_nvcc()
    folder.mkdir(parents=True, exist_ok=True)
    return build.build_target(wanted, folder=folder, compiler=compiler)
