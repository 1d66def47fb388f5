"""A real Slurm of two nodes on this machine, its daemons ended by their numbers."""

import os
import shutil
import socket
import subprocess
import time
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

import psutil

NEEDED = ["munged", "slurmctld", "slurmd", "sbatch", "squeue"]
CONFIGURATION = Path("/etc/slurm/slurm.conf")  # steps of jobs look nowhere else
NODES = ("n1", "n2")
TEXT = """ClusterName=diverse
SlurmctldHost={host}(127.0.0.1)
AuthType=auth/munge
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
SelectType=select/cons_tres
SelectTypeParameters=CR_Core_Memory
AccountingStorageType=accounting_storage/none
JobAcctGatherType=jobacct_gather/linux
JobAcctGatherParams=OverMemoryKill
JobAcctGatherFrequency=task=1
MpiDefault=none
ReturnToService=2
SlurmctldParameters=enable_configless
SlurmctldPidFile={folder}/slurmctld.pid
SlurmctldLogFile={folder}/slurmctld.log
StateSaveLocation={folder}/state
SlurmdPidFile={folder}/slurmd-%n.pid
SlurmdLogFile={folder}/slurmd-%n.log
SlurmdSpoolDir={folder}/spool-%n
SlurmUser=root
SlurmdTimeout=10
KillWait=5
NodeName=n1 NodeHostname={host} NodeAddr=127.0.0.1 Port=17011 CPUs=2 RealMemory=16000
NodeName=n2 NodeHostname={host} NodeAddr=127.0.0.1 Port=17012 CPUs=2 RealMemory=16000
PartitionName=main Nodes=n1,n2 Default=YES MaxTime=INFINITE State=UP
"""


def missing() -> str:
    """Return why there can be no cluster here; nothing if there can be one."""
    absent = [name for name in NEEDED if shutil.which(name, path=_path()) is None]
    if absent:
        return f"{', '.join(absent)} not installed (Debian: slurm-wlm, munge)"
    if os.geteuid() != 0:
        return "only root can start Slurm's daemons"
    return f"{CONFIGURATION} is there: this machine has a Slurm" if CONFIGURATION.exists() else ""


def clear() -> None:
    """Take away the configuration of a cluster of these tests whose run was killed.

    It would keep the next run from starting one, and every `snakemake` waits for its controller.
    """
    if not CONFIGURATION.exists() or not os.access(CONFIGURATION.parent, os.W_OK):
        return
    ours = CONFIGURATION.read_text().splitlines()[:1] == TEXT.splitlines()[:1]
    running = {process.info["name"] for process in psutil.process_iter(["name"])}
    if ours and "slurmctld" not in running:
        CONFIGURATION.unlink()


class Job(NamedTuple):
    """A job that runs: its number, its node, and the rule and wildcards that Snakemake notes."""

    number: str
    node: str
    name: str


class Cluster:
    """The daemons of a cluster, from `start` to `stop`."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.daemons: dict[str, subprocess.Popen] = {}

    def start(self) -> None:
        """Start munge, the controller and both nodes, and wait until the nodes are idle."""
        host = socket.gethostname().split(".")[0]
        (self.folder / "state").mkdir(parents=True)
        CONFIGURATION.parent.mkdir(exist_ok=True)
        CONFIGURATION.write_text(TEXT.format(host=host, folder=self.folder))
        self._start_munge()
        self._run("slurmctld", "slurmctld", "-D")
        for name in NODES:
            self.start_node(name)
        self._until(lambda: self.states() == ["idle", "idle"], "the nodes")

    def _start_munge(self) -> None:
        """Start munge, unless this machine runs it anyway."""
        command = ["munge", "--no-input"]
        if subprocess.run(command, capture_output=True).returncode == 0:
            return
        for path in ("/run/munge", "/var/log/munge", "/var/lib/munge"):
            Path(path).mkdir(parents=True, exist_ok=True)
            shutil.chown(path, "munge", "munge")
        self._run("munged", "runuser", "-u", "munge", "--", "munged", "--foreground", "--force")
        self._until(lambda: subprocess.run(command, capture_output=True).returncode == 0, "munge")

    def start_node(self, name: str) -> None:
        """Start the daemon of one node."""
        self._run(name, "slurmd", "-D", "-N", name)

    def fail(self, node: str) -> None:
        """Kill a node as a power cut would: its daemon, then everything that jobs run on it."""
        numbers = [job.number for job in self.jobs() if job.node == node]
        self.daemons[node].kill()
        self.daemons.pop(node).wait()
        for process in psutil.process_iter(["cmdline"]):
            line = " ".join(process.info["cmdline"] or [])
            with suppress(psutil.Error):
                own = any(line.startswith(f"slurmstepd: [{number}.") for number in numbers)
                if own or process.environ().get("SLURMD_NODENAME") == node:
                    process.kill()

    def dead(self) -> list[str]:
        """Return the nodes without a daemon that Slurm takes to be down."""
        absent = [name for name in NODES if name not in self.daemons]
        return absent if any("down" in state for state in self.states()) else []

    def states(self) -> list[str]:
        """Return the states of the nodes."""
        command = ["sinfo", "-h", "-N", "-o", "%t"]
        return subprocess.run(command, capture_output=True, text=True).stdout.split()

    def jobs(self) -> list[Job]:
        """Return the jobs that run."""
        command = ["squeue", "-h", "-t", "running", "-o", "%i %N %k"]
        lines = subprocess.run(command, capture_output=True, text=True).stdout.splitlines()
        return [Job(*line.split()) for line in lines if len(line.split()) == 3]

    def hang(self, job: Job) -> None:
        """Stop the processes of a job, and let its time end: Slurm sees to it within 30 s.

        A job that was just given its node has no process yet, and would fail in another way.
        """
        self._until(lambda: _suspend(job), f"job {job.number}")
        while _suspend(job):  # those that were started meanwhile
            time.sleep(0.1)
        command = ["scontrol", "update", f"JobId={job.number}", "EndTime=now+1"]
        subprocess.run(command, check=True)

    def cancel(self, job: Job) -> None:
        """Cancel a job."""
        subprocess.run(["scancel", job.number], check=True)

    def stop(self) -> None:
        """End all jobs and daemons, the last one first, and take the configuration away."""
        if "slurmctld" in self.daemons:
            subprocess.run(["scancel", "--me", "--full"], check=False)
            time.sleep(2)
        for name in reversed(list(self.daemons)):
            daemon = self.daemons.pop(name)
            daemon.terminate()
            try:
                daemon.wait(10)
            except subprocess.TimeoutExpired:
                daemon.kill()
                daemon.wait()
        CONFIGURATION.unlink(missing_ok=True)

    def _run(self, name: str, *command: str) -> None:
        environment = {**os.environ, "PATH": _path()}
        with (self.folder / f"{name}.out").open("a") as log:
            self.daemons[name] = subprocess.Popen(
                command, stdout=log, stderr=subprocess.STDOUT, env=environment
            )

    def _until(self, ready, what: str) -> None:
        end = time.monotonic() + 60
        while not ready():
            if time.monotonic() > end:
                raise RuntimeError(f"{what} did not start; see {self.folder}")
            time.sleep(0.5)


def _suspend(job: Job) -> bool:
    """Stop the processes of a job that run; return whether there were any."""
    found = False
    for process in psutil.process_iter():
        with suppress(psutil.Error):
            own = process.environ().get("SLURM_JOB_ID") == job.number
            if own and process.status() not in (psutil.STATUS_STOPPED, psutil.STATUS_ZOMBIE):
                process.suspend()
                found = True
    return found


def _path() -> str:
    return f"{os.environ['PATH']}:/usr/sbin:/sbin"
