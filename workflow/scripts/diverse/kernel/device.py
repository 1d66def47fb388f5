"""The device that a study asks for: the CPU, or a card that can be used, or a sentence why not."""

from __future__ import annotations

import ctypes
import functools
import logging
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from diverse.kernel import cuda_build
from diverse.kernel.kernel import DType

if TYPE_CHECKING:
    import torch

DeviceName = Literal["cpu", "cuda", "auto"]

OLDEST = (7, 5)  # compute capability that nvcc 13 compiles for

logger = logging.getLogger(__name__)


class DeviceError(RuntimeError):
    """A card cannot be used."""


@dataclass(frozen=True)
class Device:
    """A card, or a host that plays one.

    Attributes
    ----------
    place : str
        Device of its tensors, as torch names it: "cuda", or "cpu" in the emulation.
    name : str
        Name of the card.
    hardware : Hardware or None
        None in the emulation.
    """

    place: str
    name: str
    hardware: cuda_build.Hardware | None

    def stream(self) -> ctypes.c_void_p:
        """Return the stream that torch queues work on at present."""
        import torch

        if self.hardware is None:
            return ctypes.c_void_p(None)
        return ctypes.c_void_p(torch.cuda.current_stream().cuda_stream)

    def library(self, twojmax: int, dtype: DType) -> Library:
        """Return the compiled kernel for this device; the first call ever builds it.

        Raises
        ------
        ValueError
            For a 2Jmax that it does not have.
        RuntimeError
            When it cannot be built, or the card has too little shared memory for it.
        """
        if self.hardware is not None:
            logger.info("CUDA kernel for 2Jmax %d, %s, on %s", twojmax, dtype, self.name)
        return _load(self, twojmax, dtype)


EMULATION = Device("cpu", "emulation on the host", None)


class Library:
    """One compiled CUDA kernel: its functions, called with tensors, and sizes of its arrays.

    Attributes
    ----------
    group_numbers, partial_numbers : int
        Numbers that are kept of each group of atoms: of the neighbour sums, and of the partial
        sums of the components.
    group_atoms : int
        Atoms of a group.
    n_components : int
    shared_memory : int
        Bytes of shared memory that the largest of its blocks takes.
    """

    def __init__(self, path: str) -> None:
        self._library = ctypes.CDLL(path)
        sizes = (ctypes.c_int64 * 5)()
        self._library.diverse_sizes(sizes)
        self.group_numbers, self.partial_numbers, self.group_atoms = sizes[:3]
        self.n_components, self.shared_memory = sizes[3:]

    def call(self, name: str, device: Device, *arguments: Any) -> None:
        """Queue a function of interface.cu on the present stream of a device.

        Tensors go as pointers, int as int64, bool as C int, float as double.

        Raises
        ------
        RuntimeError
            When CUDA refuses, with its own words.
        """
        function = getattr(self._library, f"diverse_{name}")
        function.restype = ctypes.c_int64
        code = function(*map(_convert, arguments), device.stream())
        if code:
            text = self._library.diverse_error_text
            text.restype = ctypes.c_char_p
            raise RuntimeError(f"CUDA could not run {name} on {device.name}: {text(code).decode()}")


def find_device(name: DeviceName) -> Device | None:
    """Return the card that a study may use, or None for the CPU.

    Parameters
    ----------
    name : {"cpu", "cuda", "auto"}
        auto: a card where one can be used, else the CPU, which the log says with the reason.

    Raises
    ------
    DeviceError
        When the card is asked for and cannot be used.
    """
    if name == "cpu":
        return None
    try:
        return _card()
    except DeviceError as error:
        if name == "cuda":
            raise
        logger.warning("device: auto takes the CPU. %s", error)
        return None


def _card() -> Device:
    import torch

    if torch.version.cuda is None:
        raise DeviceError(
            f"device is 'cuda', but torch {torch.__version__} of this environment is a build for "
            "CPUs: start the study with ./envs/run --with gpu, or use device: cpu."
        )
    try:
        torch.cuda.init()
        properties = torch.cuda.get_device_properties(torch.cuda.current_device())
    except (RuntimeError, AssertionError) as error:
        raise DeviceError(
            "device is 'cuda', but no card can be used: "
            f"{str(error).splitlines()[0]} Look at nvidia-smi, or use device: cpu."
        ) from error
    if (properties.major, properties.minor) < OLDEST:
        raise DeviceError(
            f"device is 'cuda', but {properties.name} has compute capability {properties.major}."
            f"{properties.minor}, below {OLDEST[0]}.{OLDEST[1]}: use a newer card, or device: cpu."
        )
    try:
        cuda_build.find_nvcc()
    except RuntimeError as error:
        raise DeviceError(str(error)) from None
    memory = int(properties.shared_memory_per_block_optin)  # type: ignore[attr-defined]
    hardware = cuda_build.Hardware(f"{properties.major}{properties.minor}", memory)
    return Device("cuda", properties.name, hardware)


@functools.cache
def _load(device: Device, twojmax: int, dtype: DType) -> Library:
    library = Library(str(cuda_build.built(twojmax, dtype, device.hardware)))
    hardware = device.hardware
    if hardware is not None and library.shared_memory > hardware.shared_memory:
        raise DeviceError(
            f"2Jmax {twojmax} in {dtype} takes {library.shared_memory} bytes of shared memory for "
            f"32 atoms, and {device.name} has {hardware.shared_memory}: use a smaller twojmax, "
            "float32, or device: cpu."
        )
    return library


def _convert(argument: Any) -> Any:
    if isinstance(argument, bool):
        return ctypes.c_int(argument)
    if isinstance(argument, int):
        return ctypes.c_int64(argument)
    if isinstance(argument, float):
        return ctypes.c_double(argument)
    tensor: torch.Tensor = argument
    if not tensor.is_contiguous():
        raise TypeError("A tensor for the CUDA kernel is not contiguous.")
    return ctypes.c_void_p(tensor.data_ptr())
