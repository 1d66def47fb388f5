"""The compiled kernel: found, chosen, loaded, and called with numpy arrays."""

import ctypes
import functools
import os
from typing import Any

import numpy as np

from diverse.kernel import build


@functools.cache
def load(name: str) -> ctypes.CDLL:
    """Load one shared object made by build.py.

    Parameters
    ----------
    name : str
        "pairs", or a name that `kernel_name` returns.

    Raises
    ------
    RuntimeError
        When it has not been built from the present sources.
    """
    target = next(target for target in build.targets() if target.name == name)
    path = build.library_path(target, folder=build.default_folder())
    if not path.exists():
        raise RuntimeError(
            f"The descriptor kernel has not been built from its present sources: {path} is "
            f"missing. Run `python {build.__file__}` (./envs/run does it by itself)."
        )
    return ctypes.CDLL(str(path))


def kernel_name(isa: str, dtype: str) -> str:
    """Return the name of the kernel for an instruction set and a type of number (of numpy)."""
    return f"kernel-{isa}-{dtype}"


def available_isas() -> list[str]:
    """Return the instruction sets that this CPU can run, the best one last."""
    names = list(build.instruction_sets())
    # Only the baseline build may be asked: it is the one that runs on every CPU.
    return names[: int(load(kernel_name("baseline", "float64")).diverse_best_isa()) + 1]


def chosen_isa() -> str:
    """Return the instruction set to use: $DIVERSE_KERNEL_ISA, or the best of this CPU.

    Raises
    ------
    RuntimeError
        When the variable names one that this CPU cannot run.
    """
    available = available_isas()
    wanted = os.environ.get("DIVERSE_KERNEL_ISA") or available[-1]
    if wanted not in available:
        raise RuntimeError(
            f"DIVERSE_KERNEL_ISA is {wanted!r}, but this CPU can run only: {', '.join(available)}."
        )
    return wanted


def reproducible_isa() -> str:
    """Return the instruction set of sums whose order must be that of other machines.

    It is AVX2 wherever the CPU has it: a wider one would add the numbers in another order.
    """
    chosen = chosen_isa()
    return "avx2" if chosen == "avx512" else chosen


def n_threads(threads: int | None) -> int:
    """Return the number of threads: as given, or what OpenMP would use (OMP_NUM_THREADS)."""
    if threads is None:
        return int(load(kernel_name("baseline", "float64")).diverse_max_threads())
    if threads < 1:
        raise ValueError(f"threads is {threads}; it must be at least 1, or None for all.")
    return threads


def call(function: Any, *arguments: Any) -> int:
    """Call a C function that returns an int64 (or nothing).

    Arrays go as pointers, int as int64, np.int32 as C int, float as double, None as null; a
    ctypes pointer goes as it is.
    """
    function.restype = ctypes.c_int64
    return int(function(*(_convert(argument) for argument in arguments)))


def call_for_pointer(function: Any, *arguments: Any) -> ctypes.c_void_p:
    """Call a C function that makes something and returns a pointer to it."""
    function.restype = ctypes.c_void_p
    return ctypes.c_void_p(function(*(_convert(argument) for argument in arguments)))


def _convert(argument: Any) -> Any:
    if isinstance(argument, np.ndarray):
        if not argument.flags.c_contiguous:
            raise TypeError("An array for the compiled kernel is not C-contiguous.")
        return ctypes.c_void_p(argument.__array_interface__["data"][0])  # faster than .ctypes
    if isinstance(argument, np.int32):
        return ctypes.c_int(int(argument))
    if isinstance(argument, int):
        return ctypes.c_int64(argument)
    if isinstance(argument, float):
        return ctypes.c_double(argument)
    return argument
