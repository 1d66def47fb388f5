"""Build of the descriptor kernel from its C++ sources: `python build.py [FOLDER]`.

One shared object per instruction set and type of number, and one for the neighbour search. Their
names carry a hash of sources and flags: what is there need not be built again, and what is
outdated is never loaded.
"""

import argparse
import hashlib
import os
import platform
import shutil
import subprocess
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

SOURCES = Path(__file__).parent / "cpp"
# The last two: GCC 12 takes functions that store vectors through a pointer for free of side
# effects, and drops calls to them as soon as they are not inlined. Results were wrong, not slow.
COMMON_FLAGS = (
    *("-std=c++17", "-O3", "-fopenmp", "-fPIC", "-shared", "-fvisibility=hidden"),
    *("-fno-math-errno", "-fno-trapping-math", "-fno-ipa-modref", "-fno-ipa-pure-const"),
)

SCRATCH = ".building-"  # folders of a compiler at work
STALE = 3600.0  # s, after which such a folder was left by a compiler that was killed
REAL_TYPES = {"float64": "double", "float32": "float"}  # of numpy and of C++


@dataclass(frozen=True)
class Target:
    """One shared object: its name, main source file and flags beyond the common ones."""

    name: str
    source: str
    flags: tuple[str, ...]

    @property
    def all_flags(self) -> tuple[str, ...]:
        """Flags of the compiler, common ones first."""
        return (*COMMON_FLAGS, *self.flags)

    @property
    def sources(self) -> list[Path]:
        """Files whose contents decide what is built; the main one is among them."""
        return sorted(SOURCES.glob("*.[ch]pp"))

    @property
    def main_source(self) -> Path:
        """File that the compiler is given."""
        return SOURCES / self.source


def instruction_sets() -> dict[str, tuple[str, ...]]:
    """Return compiler flags by name of the instruction set, from the plainest to the widest."""
    baseline: dict[str, tuple[str, ...]] = {"baseline": ("-DDIVERSE_LANE_BYTES=16",)}
    if platform.machine().lower() not in ("x86_64", "amd64"):
        return baseline
    avx2 = ("-mavx2", "-mfma")
    avx512 = (*avx2, "-mavx512f", "-mavx512dq", "-mavx512vl", "-mavx512bw")
    return baseline | {
        "avx2": (*avx2, "-DDIVERSE_LANE_BYTES=32"),
        "avx512": (*avx512, "-DDIVERSE_LANE_BYTES=64"),
    }


def targets() -> list[Target]:
    """Return everything there is to build on this kind of machine."""
    kernels = [
        Target(
            f"kernel-{name}-{dtype}",
            "interface.cpp",
            ("-ffp-contract=fast", f"-DDIVERSE_REAL={real}", *flags),
        )
        for name, flags in instruction_sets().items()
        for dtype, real in REAL_TYPES.items()
    ]
    return [*kernels, Target("pairs", "pairs.cpp", ("-ffp-contract=off",))]


def default_folder() -> Path:
    """Return the library's folder: $DIVERSE_KERNEL_FOLDER, or _build beside the sources."""
    return Path(os.environ.get("DIVERSE_KERNEL_FOLDER") or Path(__file__).parent / "_build")


def library_path(target: Target, *, folder: Path) -> Path:
    """Return the path of the shared object that belongs to the present sources and flags."""
    digest = hashlib.sha256(" ".join(target.all_flags).encode())
    for source in target.sources:
        digest.update(source.read_bytes())
    return folder / f"{target.name}-{digest.hexdigest()[:16]}.so"


def find_compiler() -> str:
    """Return the C++ compiler: $CXX, or g++; raise RuntimeError when there is none."""
    name = os.environ.get("CXX") or "g++"
    path = shutil.which(name)
    if path is None:
        raise RuntimeError(
            f"The descriptor kernel cannot be built: there is no C++ compiler {name!r} on PATH. "
            "Install g++ (see envs/apt.txt), or name another GCC in the environment variable CXX."
        )
    return path


def build_target(target: Target, *, folder: Path, compiler: str) -> Path:
    """Compile one shared object, unless it is there, and drop its outdated predecessors.

    It is written under a temporary name and then renamed: no other process sees half a file.
    """
    path = library_path(target, folder=folder)
    if path.exists():
        return path
    with tempfile.TemporaryDirectory(dir=folder, prefix=SCRATCH) as scratch:
        output = Path(scratch) / path.name
        command = [compiler, *target.all_flags, str(target.main_source), "-o", str(output)]
        done = subprocess.run(command, check=False, capture_output=True, text=True)
        if done.returncode != 0:
            raise RuntimeError(
                f"The compiler failed on {target.source} for {target.name}:\n"
                f"{' '.join(command)}\n{done.stderr}"
            )
        output.replace(path)
    for other in folder.glob(f"{target.name}-*.so"):
        if other != path:
            other.unlink(missing_ok=True)
    return path


def is_built(folder: Path) -> bool:
    """Return whether all shared objects of the present sources and flags are in a folder."""
    return all(library_path(target, folder=folder).exists() for target in targets())


def build(folder: Path | None = None) -> list[Path]:
    """Build all shared objects that are missing or outdated.

    Parameters
    ----------
    folder : Path, optional
        Folder to put them in; by default `default_folder()`.

    Returns
    -------
    list of Path
        The shared objects, whether built now or earlier.

    Raises
    ------
    RuntimeError
        When something must be built and there is no compiler, or it fails.
    """
    folder = default_folder() if folder is None else folder
    wanted = targets()
    if is_built(folder):
        return [library_path(target, folder=folder) for target in wanted]
    compiler = find_compiler()
    folder.mkdir(parents=True, exist_ok=True)
    for scratch in folder.glob(f"{SCRATCH}*"):
        if time.time() - scratch.stat().st_mtime > STALE:
            shutil.rmtree(scratch, ignore_errors=True)
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        return list(pool.map(lambda t: build_target(t, folder=folder, compiler=compiler), wanted))


def main() -> None:
    """Build the shared objects, as the command line asks, and print their paths."""
    parser = argparse.ArgumentParser(description="Compile the descriptor kernel.")
    parser.add_argument("folder", nargs="?", type=Path, help="default: _build beside the sources")
    parser.add_argument("--check", action="store_true", help="fail if something must be built")
    options = parser.parse_args()
    if options.check:
        raise SystemExit(not is_built(options.folder or default_folder()))
    try:
        for path in build(options.folder):
            print(path)
    except RuntimeError as error:
        raise SystemExit(str(error)) from error


if __name__ == "__main__":
    main()
