"""One cell labelled by several MPI processes, which the worker that has the cell starts.

What starts them is the site's: ``mpiexec`` or ``srun``, the resource ``launcher`` of `label_chunk`.
Cell and label pass through files in the temporary folder of the node (TMPDIR).
"""

from __future__ import annotations

import os
import pickle
import shlex
import signal
import subprocess
import sys
import tempfile
import time
import traceback
from dataclasses import replace
from pathlib import Path
from typing import Any, NoReturn

from ase import Atoms

from diverse.labels.labellers import Label, LabelError, LabellerError
from diverse.lammps_library import release_shared_memory

LAUNCHER = "DIVERSE_LAUNCHER"  # in the environment of a worker: the command with its options
BACKEND = {"GPAW_MPI_BACKEND": "cgpaw"}  # without it GPAW's processes are each on their own
KILLED = (-9, 9, 137)  # what launchers end with when a process was killed, as for memory
ABORT = 70
PATIENCE = 300.0  # s, for a launcher to start processes


def launcher() -> list[str]:
    """Return the command that starts the processes of a cell; empty where one process labels it."""
    return shlex.split(os.environ.get(LAUNCHER, ""))


def with_processes(command: str, cores: int) -> str:
    """Return a launcher with the number of processes; empty without one."""
    return f"{command} -n {cores}" if command else ""


def check_launcher() -> None:
    """Start the processes once, so that a launcher that does not work costs no cell.

    Raises
    ------
    LabellerError
        If there is no such command, it fails, or its processes do not find each other.
    """
    command = launcher()
    if not command:
        return
    name, wanted = shlex.join(command), command[-1]
    script = "from gpaw.mpi import world; print('processes', world.size, flush=True)"
    try:
        run = subprocess.run(
            [*command, sys.executable, "-P", "-c", script],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=PATIENCE,
            env={**os.environ, **BACKEND},
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise LabellerError(f"the launcher '{name}' does not start: {error}") from None
    if run.returncode:
        last = (run.stderr.strip() or run.stdout.strip() or "it says nothing").splitlines()[-1]
        raise LabellerError(f"the launcher '{name}' ends with status {run.returncode}: {last}")
    if f"processes {wanted}" not in run.stdout:
        raise LabellerError(
            f"the launcher '{name}' starts processes that do not find each other: it must be that "
            "of the MPI library that GPAW was compiled with, or speak its PMI (srun --mpi=...)"
        )


def label_in_parallel(atoms: Atoms, settings: Any, log: Path) -> Label:
    """Label a cell with the launcher's processes.

    A launcher that dies takes this worker with it, in the same way: the cell is then judged as
    that of any worker which crashed, or was killed from outside.

    Raises
    ------
    LabelError
        If the cell has no label.
    """
    with tempfile.TemporaryDirectory(prefix="diverse-cell-") as folder:
        answer = Path(folder, "answer")
        Path(folder, "task").write_bytes(pickle.dumps((atoms, settings, log.absolute())))
        command = [*launcher(), sys.executable, "-P", "-m", __name__, folder]
        run = subprocess.run(command, stdin=subprocess.DEVNULL, env={**os.environ, **BACKEND})
        status = run.returncode
        found = pickle.loads(answer.read_bytes()) if status == 0 and answer.exists() else None
    if found is None:
        _die(status)
    label, cause, attempts, seconds = found
    if label is None:
        raise LabelError(cause, attempts)
    return replace(label, seconds=seconds)


def _die(status: int) -> NoReturn:
    """End this process as the launcher ended."""
    if status in KILLED:
        os.kill(os.getpid(), signal.SIGKILL)
    os._exit(status % 256 or ABORT)


def join() -> Any:
    """Return the world of the launcher's processes; shared memory of theirs ends with them."""
    from gpaw.mpi import world

    world.barrier()
    release_shared_memory()
    return world


def main(folder: Path) -> None:
    """Label the cell of a folder together with the other processes; the first one answers."""
    from diverse.labels.labellers.gpaw import climb

    world = join()
    atoms, settings, log = pickle.loads((folder / "task").read_bytes())
    label, cause, attempts = None, "", 1
    try:
        label = climb(atoms, settings, log)
    except LabelError as error:
        cause, attempts = str(error), error.attempts
    except BaseException:
        traceback.print_exc()
        world.abort(ABORT)
    seconds = float(world.sum_scalar(time.process_time()))
    if world.rank == 0:
        (folder / "answer").write_bytes(pickle.dumps((label, cause, attempts, seconds)))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
