"""What the terminal says of a run: a line as each stage begins, how far it is, what fails."""

import logging
import re
from types import SimpleNamespace

import pytest
from snakemake.settings.enums import Quietness
from snakemake_interface_logger_plugins.common import LogEvent

from diverse.study import terminal
from diverse.study.terminal import HANDLER, NOISE, show_stages

FILES = {
    "draw": "/clone/workflow/rules/generate.smk",
    "label": "/clone/workflow/rules/label.smk",
    "label_chunk": "/clone/workflow/rules/label.smk",
    "all": "/clone/Snakefile",
}


class Terminal(logging.Handler):
    """Keeps what would be written."""

    def __init__(self):
        super().__init__()
        self.name, self.lines = HANDLER, []

    def emit(self, record):
        self.lines.append(record.getMessage())


@pytest.fixture
def run():
    """Return a function that gives a logger, and the lines of its terminal, for some settings."""

    def begin(**settings):
        logger, own = logging.Logger("snakemake"), Terminal()
        logger.addHandler(own)
        defaults = {"quiet": {Quietness.HOST, Quietness.REASON}, "dryrun": False, "verbose": False}
        workflow = SimpleNamespace(
            output_settings=SimpleNamespace(**{**defaults, **settings}),
            is_main_process=settings.get("main", True),
            rules=[SimpleNamespace(name=name, snakefile=path) for name, path in FILES.items()],
        )
        show_stages(workflow, logger)
        return logger, own.lines

    return begin


def told(logger, event, message="words of a job", **extra):
    logger.info(message, extra={"event": event, **extra})


def test_a_stage_is_a_line_however_many_jobs_it_has(run, monkeypatch):
    clock = SimpleNamespace(now=100.0, strftime=lambda _: "07:15:00")
    clock.monotonic = lambda: clock.now
    monkeypatch.setattr(terminal, "time", clock)
    logger, lines = run()
    logger.info("Using shell: /usr/bin/bash")
    stats = {"all": 1, "draw": 1, "label": 1, "label_chunk": 200, "total": 203}
    told(logger, LogEvent.RUN_INFO, stats=stats)
    jobs = ["draw", *["label_chunk"] * 200, "label", "all"]
    for done, rule in enumerate(jobs, start=1):
        logger.info("Select jobs to execute...")
        told(logger, LogEvent.JOB_STARTED)
        told(logger, LogEvent.JOB_INFO, rule_name=rule)
        clock.now += 1.0
        told(logger, LogEvent.JOB_FINISHED)
        told(logger, LogEvent.PROGRESS, done=done, total=203)
    assert lines == [
        "07:15:00  generate: 1 job; 0 of 203 jobs (0 %) done",
        "07:15:00  label: 201 jobs; 1 of 203 jobs (0 %) done, about 3 min left at this pace",
        "07:15:00  122 of 203 jobs (60 %) done, about 81 s left at this pace",
    ]


def test_what_fails_and_what_is_no_job_is_said_in_full(run):
    logger, lines = run()
    told(logger, LogEvent.JOB_ERROR, "Error in rule label_chunk")
    logger.error("RuleException: label_chunk: the disk is full")
    logger.warning("Trying to restart job 3.")
    assert len(lines) == 3
    assert lines[1] == "RuleException: label_chunk: the disk is full"


@pytest.mark.parametrize(
    "settings",
    [
        {"dryrun": True},
        {"verbose": True},
        {"quiet": None},
        {"quiet": {Quietness.HOST}},
        {"main": 0},
    ],
)
def test_other_runs_say_what_snakemake_says(run, settings):
    logger, lines = run(**settings)
    told(logger, LogEvent.JOB_INFO, rule_name="draw")
    logger.info("Select jobs to execute...")
    assert lines == ["words of a job", "Select jobs to execute..."]


def test_a_rule_that_failed_and_begins_again_is_no_new_stage(run):
    logger, lines = run()
    told(logger, LogEvent.RUN_INFO, stats={"draw": 1, "total": 1})
    for _ in range(2):
        told(logger, LogEvent.JOB_INFO, rule_name="draw")
    assert len(lines) == 1 and re.search("generate: 1 job; 0 of 1 ", lines[0])


def test_names_of_events_are_those_of_snakemake():
    assert {*map(str, LogEvent)} >= terminal.HIDDEN
    assert not NOISE.match("Trying to restart job 3.")
