"""The words of Snakemake on the terminal: a line as each stage begins, and all of what fails.

Snakemake's log of the run keeps every word of it, and a run whose ``--quiet`` is not that of
workflow/profiles/local shows them.
"""

from __future__ import annotations

import logging
import re
import time
from collections import Counter
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from diverse.progress import duration

EVERY = 120.0  # s without a line, after which the next job that ends gives one
HANDLER = "DefaultStreamHandler"  # of Snakemake's logger: the terminal
# Events of Snakemake's log that name single jobs, and further lines of that kind.
HIDDEN = {"run_info", "resources_info", "job_info", "job_started", "job_finished", "progress"}
NOISE = re.compile(r"Assuming unrestricted|Using shell|Conda environments: ignored|Select jobs")


def show_stages(workflow: Any, logger: logging.Logger) -> None:
    """Let the terminal name stages, files of rules, where the profile wants no reasons of jobs.

    Dry runs, runs with ``--verbose`` and the runs within jobs stay as they are.

    Parameters
    ----------
    workflow : object
        What Snakemake gives a Snakefile, with all its rules.
    logger : Logger
        Snakemake's.
    """
    settings = workflow.output_settings
    quiet = {choice.name for choice in settings.quiet or ()}
    if not workflow.is_main_process or settings.dryrun or settings.verbose or "REASON" not in quiet:
        return
    files = {rule.name: Path(rule.snakefile) for rule in workflow.rules}
    stages = {name: path.stem for name, path in files.items() if path.suffix == ".smk"}
    for handler in logger.handlers:
        if handler.name == HANDLER:
            handler.addFilter(Stages(stages, logger.info))


class Stages(logging.Filter):
    """Tells of the first job of every stage, and hides what Snakemake says of single jobs.

    Parameters
    ----------
    stages : mapping
        The stage of every rule but the targets of all stages.
    say : callable
        Takes a line.
    """

    def __init__(self, stages: Mapping[str, str], say: Callable[[str], None]) -> None:
        super().__init__()
        self._stages, self._say = stages, say
        self._jobs: Counter[str | None] = Counter()  # of stages that have not begun
        self._done = self._total = 0
        self._start = self._told = time.monotonic()

    def filter(self, record: logging.LogRecord) -> bool:
        """Return whether a record comes on the terminal, after the line that it gives rise to."""
        told, event = vars(record), getattr(record, "event", None)
        if event == "run_info":
            self._total = told["stats"]["total"]
            for rule, number in told["stats"].items():
                self._jobs[self._stages.get(rule)] += number
        elif event == "job_info" and (stage := self._stages.get(told["rule_name"])):
            if number := self._jobs.pop(stage, 0):
                self._tell(f"{stage}: {number} job{'s' * (number > 1)}; ")
        elif event == "progress":
            self._done, self._total = told["done"], told["total"]
            if time.monotonic() - self._told > EVERY and self._done < self._total:
                self._tell("")
        return event not in HIDDEN and not (event is None and NOISE.match(record.getMessage()))

    def _tell(self, what: str) -> None:
        self._told = time.monotonic()
        rest = (self._told - self._start) * (self._total / self._done - 1) if self._done else None
        left = f", about {duration(rest)} left at this pace" if rest is not None else ""
        share = f"{self._done} of {self._total} jobs ({100 * self._done / self._total:.0f} %) done"
        self._say(f"{time.strftime('%H:%M:%S')}  {what}{share}{left}")
