"""Faults that come over a run of the smoke study, and the plan of which comes when."""

import os
import shutil
import signal
import subprocess
import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import psutil

from paths import ROOT, snakemake

if TYPE_CHECKING:
    from voyage import Voyage

PATIENCE = 600.0  # s, within which a run that was struck ends, and the next job begins
LOOK = 0.1  # s between two looks at the processes
CLOSED = "may not be written: it is another user's, or read-only"
LOCKED = "Directory cannot be locked"
WORKER = "one process of a job that labels"
SMOKE = ("--configfile", str(ROOT / "config/smoke.yaml"))


def kill(number: int, whom: str):
    """Return a fault: a signal to Snakemake, to it and all its jobs, to a job or to its worker."""

    def strike(voyage: "Voyage", job: psutil.Process) -> None:
        with suppress(psutil.Error, ProcessLookupError):
            if whom == "group":
                os.killpg(voyage.run.pid, number)
            elif whom == "snakemake":
                voyage.run.send_signal(number)
            elif whom == "worker":
                (job.children() or [job])[0].send_signal(number)
            else:
                job.send_signal(number)

    return strike


def fill(voyage: "Voyage", _: psutil.Process) -> None:
    """Leave no byte free on the disk, until the run has ended."""
    with suppress(OSError), (voyage.disk / "ballast").open("wb", buffering=0) as file:
        while True:
            file.write(bytes(4096))


def end_all(voyage: "Voyage") -> None:
    """Kill Snakemake and all its jobs, and wait for their end."""
    with suppress(ProcessLookupError):
        os.killpg(voyage.run.pid, signal.SIGKILL)
    voyage.wait()


def close(voyage: "Voyage", _: psutil.Process) -> None:
    """Kill everything, and start Snakemake while the disk is read-only."""
    end_all(voyage)
    remount(voyage.disk, "ro")
    try:
        said = try_snakemake(voyage.folder)
    finally:
        remount(voyage.disk, "rw")
    assert CLOSED in said, said[-4000:]
    voyage.strikes[-1].said = CLOSED


def remount(disk: Path, mode: str) -> None:
    """Mount a disk again, read-only or not, as soon as nothing writes to it."""
    command = ["mount", "-o", f"remount,{mode}", str(disk)]
    end = time.monotonic() + PATIENCE
    while subprocess.run(command, capture_output=True).returncode:
        assert time.monotonic() < end, f"{disk} cannot be mounted {mode}"
        time.sleep(LOOK)


def lose_notes(voyage: "Voyage", _: psutil.Process) -> None:
    """Kill everything, and lose the folder `.snakemake`."""
    end_all(voyage)
    shutil.rmtree(voyage.folder / ".snakemake")


def move(voyage: "Voyage", _: psutil.Process) -> None:
    """Kill everything, and move the folder."""
    end_all(voyage)
    other = voyage.folder.with_name(f"{voyage.folder.name} moved")
    voyage.folder = voyage.folder.rename(other)


def set_clock(days: int):
    """Return a fault: the clock was so many days ahead so far, and is set right after a SIGKILL."""

    def strike(voyage: "Voyage", _: psutil.Process) -> None:
        end_all(voyage)
        for path in voyage.folder.rglob("*"):
            now = path.stat().st_mtime_ns + days * 86_400_000_000_000
            os.utime(path, ns=(now, now))

    return strike


def start_second(voyage: "Voyage", _: psutil.Process) -> None:
    """Start Snakemake once more in the same folder; it refuses, and the first goes on."""
    log = voyage.log.with_suffix(".second")
    second = voyage.begin(log)
    while second.poll() is None and voyage.run.poll() is None:
        time.sleep(LOOK)
    if voyage.run.poll() is not None:  # the first had come to its end: another time
        with suppress(ProcessLookupError):
            os.killpg(second.pid, signal.SIGKILL)
        second.wait()
        voyage.put_back()
        return
    said = log.read_text()
    assert second.returncode == 1 and LOCKED in said, said[-4000:]
    voyage.strikes[-1].said = LOCKED


def try_snakemake(folder: Path) -> str:
    """Start Snakemake where it must refuse to run, and return its words."""
    done = snakemake(folder, *SMOKE, check=False)
    assert done.returncode == 1, done.stdout[-4000:]
    return done.stdout


KILLS = {
    f"{number.name} to {title}": kill(number, whom)
    for whom, title in (
        ("group", "Snakemake and all its jobs"),
        ("snakemake", "Snakemake alone"),
        ("job", "one job"),
        ("worker", WORKER),
    )
    for number in (signal.SIGKILL, signal.SIGTERM, signal.SIGINT)
}
FAULTS = {
    **KILLS,
    "disk full": fill,
    "disk read-only": close,
    "`.snakemake` lost with all processes": lose_notes,
    "folder moved after SIGKILL": move,
    "clock set back a day after SIGKILL": set_clock(1),
    "clock set forward a year after SIGKILL": set_clock(-365),
    "a second Snakemake": start_second,
}
ENDS = {"disk full", *(name for name in KILLS if "Snakemake" in name)}  # the run, by and by
KEEPS_TIMES = {name for name in FAULTS if not name.startswith("clock")}


def plan(
    of_stage: Sequence[str], rng: np.random.Generator, *, kills: int, others: bool
) -> dict[str, list[str]]:
    """Return what is to come in each stage: a full disk in each, kills, and each other fault once.

    Parameters
    ----------
    of_stage : sequence of str
        Stages that the study has.
    rng : Generator
    kills : int
        How many kills at least; every stage has as many, give or take one.
    others : bool
        Whether faults come that are no kills.
    """
    coming = {stage: ["disk full"] if others else [] for stage in of_stage}
    plain = [name for name in KILLS if not name.endswith(WORKER)]
    rng.shuffle(plain)
    for number in range(kills):
        coming[of_stage[number % len(of_stage)]].append(plain[number % len(plain)])
    if others:
        coming["label"] += [name for name in KILLS if name.endswith(WORKER)]
        rest = [name for name in FAULTS if name not in KILLS and name != "disk full"]
        for stage, name in zip(rng.choice(of_stage, len(rest), replace=False), rest, strict=True):
            coming[stage].append(name)
    for faults in coming.values():
        rng.shuffle(faults)
    return coming
