"""One run of the smoke study to its end, while one fault after the other comes over it.

Faults strike while a job of a chosen stage runs, some moments after it was seen: what decides is
how far the study is, no clock. The run that a fault ends is started again by the same command.
"""

import os
import re
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import psutil

from diverse.seals import FOLDER, UNFINISHED
from misfortunes import ENDS, FAULTS, KEEPS_TIMES, LOOK, PATIENCE, SMOKE
from paths import ROOT, clean_environment, snakemake_command

SPARE = 10  # runs beyond one a fault
LONGEST = 1.5  # s that a fault waits at most once the job is seen
SCRIPT = re.compile(r"\.snakemake/scripts/tmp\w+\.(\w+)\.py$")
FULL = re.compile(
    "the disk or a quota is full|the disk of .* is full"
    "|Error recording metadata for finished job .*No space left on device"  # of Snakemake itself
)
MADE_AGAIN = re.compile(r"rm (\S+) && ")


@dataclass
class Strike:
    """A fault that came: in which stage and rule, jobs that ran, finished files made again."""

    fault: str
    stage: str
    rule: str
    jobs: int
    files: int = 0
    said: str = ""


@dataclass
class Voyage:
    """The study in `disk`, its own file system, with what came over it so far.

    `plan` holds by stage the names of the faults that are still to come; each comes at most
    `longest` seconds after a job of its stage was seen.
    """

    disk: Path
    plan: dict[str, list[str]]
    rng: np.random.Generator
    longest: float = LONGEST
    strikes: list[Strike] = field(default_factory=list)
    run: subprocess.Popen | None = None

    def __post_init__(self) -> None:
        self.folder = self.disk / "study"
        self.folder.mkdir()
        self.log = self.disk.with_name(f"{self.disk.name}.log")
        self._seals: dict[str, int] = {}

    def sail(self) -> None:
        """Run the study to its end, whatever comes."""
        for _ in range(SPARE + sum(map(len, self.plan.values()))):
            struck = len(self.strikes)
            self._start()
            while (found := self._job_to_strike()) is not None:
                self._strike(*found)
            code = self.wait()
            self._take_stock()
            self._mend()
            if code == 0:
                return
            fresh = self.strikes[struck:]
            said = self.said()
            if fresh:
                _check_words(fresh[-1], said)
            elif not self._make_again(said):
                raise AssertionError(f"the study ended though nothing had come:\n{said[-4000:]}")
        raise AssertionError(f"the study does not end:\n{self.said()[-4000:]}")

    def said(self) -> str:
        """Return the words of the last run."""
        return self.log.read_text(errors="replace").split("=== run\n")[-1]

    def _start(self) -> None:
        shutil.rmtree(self.folder / ".snakemake/locks", ignore_errors=True)  # snakemake --unlock
        with self.log.open("a") as log:
            log.write("=== run\n")
        self.run = self.begin(self.log)

    def begin(self, log: Path) -> subprocess.Popen:
        """Start Snakemake in a session of its own, its words to the end of a file."""
        with log.open("a") as file:
            return subprocess.Popen(
                snakemake_command(self.folder, *SMOKE),
                start_new_session=True,
                preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),  # as on a terminal
                stdout=file,
                stderr=subprocess.STDOUT,
                env=clean_environment(),
            )

    def put_back(self) -> None:
        """Let the last fault come again later."""
        strike = self.strikes.pop()
        self.plan[strike.stage].append(strike.fault)

    def wait(self) -> int:
        """Wait for the end of the run, but not for ever; return its exit status."""
        try:
            return self.run.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            os.killpg(self.run.pid, signal.SIGKILL)
            raise AssertionError(f"the run hangs:\n{self.said()[-4000:]}") from None

    def _job_to_strike(self) -> tuple[psutil.Process, str] | None:
        """Wait for a job that a fault is planned for, and some moments more; return its rule."""
        before, end = set(), time.monotonic() + PATIENCE
        while self.run.poll() is None and any(self.plan.values()):
            running = set(jobs_of(self.run.pid))
            for job in running:
                rule = rule_of(job)
                if self.plan.get(STAGES.get(rule, "")):
                    time.sleep(self.rng.uniform(0, self.longest))
                    return (job, rule) if self.run.poll() is None else None
            if running != before:
                before, end = running, time.monotonic() + PATIENCE
            assert time.monotonic() < end, "no job comes or ends"
            time.sleep(LOOK)
        return None

    def _strike(self, job: psutil.Process, rule: str) -> None:
        stage = STAGES[rule]
        fault = self.plan[stage].pop(0)
        self._take_stock()
        self.strikes.append(Strike(fault, stage, rule, len(jobs_of(self.run.pid))))
        print(self.strikes[-1], flush=True)
        FAULTS[fault](self, job)
        if fault in ENDS:
            self.wait()
        elif fault.endswith("one job"):
            self._wait_for_another_job()
        if fault not in KEEPS_TIMES:
            self._seals = seals_of(self.folder)

    def _wait_for_another_job(self) -> None:
        """Wait until Snakemake has ended for a job that failed, or has begun another one."""
        end, now = time.monotonic() + PATIENCE, time.time()
        while self.run.poll() is None and time.monotonic() < end:
            if any(_began(job) > now for job in jobs_of(self.run.pid)):
                return
            time.sleep(LOOK)

    def _take_stock(self) -> None:
        """Count the finished files that were made again since the last fault."""
        found = seals_of(self.folder)
        again = sum(found.get(path) != made for path, made in self._seals.items())
        if self.strikes:
            self.strikes[-1].files += again
        self._seals = found

    def _mend(self) -> None:
        (self.disk / "ballast").unlink(missing_ok=True)

    def _make_again(self, said: str) -> bool:
        """Do as a job says that met a file which a killed one left."""
        found = MADE_AGAIN.search(said)
        if found:
            (self.folder / found[1]).unlink()
            self.strikes[-1].said = "names the file"
        return found is not None


def _check_words(strike: Strike, said: str) -> None:
    """See to it that a full disk was called so."""
    if strike.fault == "disk full":
        found = FULL.search(said)
        assert found, said[-4000:]
        strike.said = found[0]


def jobs_of(pid: int) -> list[psutil.Process]:
    """Return the scripts of rules that run below a process."""
    with suppress(psutil.Error):
        below = psutil.Process(pid).children(recursive=True)
        return [process for process in below if rule_of(process)]
    return []


def _began(process: psutil.Process) -> float:
    with suppress(psutil.Error):
        return process.create_time()
    return 0.0


def rule_of(process: psutil.Process) -> str:
    """Return the rule that a process runs, nothing if it runs none."""
    with suppress(psutil.Error):
        words = process.cmdline()
        if len(words) == 2 and (found := SCRIPT.search(words[-1])):
            return found[1]
    return ""


def stages() -> dict[str, str]:
    """Return the stage, the file of rules, of every rule."""
    return {
        name: path.stem
        for path in (ROOT / "workflow/rules").glob("*.smk")
        for name in re.findall(r"^rule (\w+):", path.read_text(), re.M)
    }


STAGES = stages()


def seals_of(folder: Path) -> dict[str, int]:
    """Return when every finished file was sealed."""
    found = {}
    for path in folder.glob(f"results/**/{FOLDER}/[!.]*"):
        with suppress(FileNotFoundError):
            if not path.read_text().startswith(UNFINISHED):
                found[str(path.relative_to(folder))] = path.stat().st_mtime_ns
    return found


@contextmanager
def own_disk(folder: Path, megabytes: int) -> Iterator[Path]:
    """Mount a disk in memory on a folder, and take it away with what runs on it."""
    folder.mkdir()
    options = ["-t", "tmpfs", "-o", f"size={megabytes}m", "tmpfs"]
    subprocess.run(["mount", *options, str(folder)], check=True)
    try:
        yield folder
    finally:
        for process in psutil.process_iter():
            with suppress(psutil.Error):
                if Path(process.cwd()).is_relative_to(folder):
                    process.kill()
        time.sleep(1)
        subprocess.run(["umount", "--lazy", str(folder)], check=True)
