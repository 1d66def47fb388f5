"""Yield and cost of making a data set, chunk by chunk."""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import sha256
from pathlib import Path

import numpy as np
import pandas as pd

from diverse.descriptors.statistics import SetStatistics

OFTEN, SELDOM = 15.5, 30.0  # s: Snakemake looks at a job every half second for so long, then seldom


def core_seconds(benchmarks: pd.DataFrame) -> pd.Series:
    """Return the processor time (s) of every job, the time after Snakemake's last look included.

    Snakemake notes in ``cpu_time`` what it saw at its last look, up to half a minute before the end
    of the job; the rest is taken in proportion to the wall time. A job that ended before the first
    look counts with its wall time.

    Parameters
    ----------
    benchmarks : DataFrame
        Rows of Snakemake's benchmark files: ``s`` (wall time, s) and ``cpu_time`` (s, or NaN).
    """
    seconds = benchmarks["s"]
    seen = OFTEN + SELDOM * np.floor((seconds - OFTEN) / SELDOM)
    whole = benchmarks["cpu_time"] * (seconds / seen).where(seconds > OFTEN, 1.0)
    return whole.where(whole > 0, seconds)


def chunk_row(dataset: str, chunk: int, structures: Path, benchmark: Path) -> dict[str, object]:
    """Return the row of one chunk, from the files the workflow writes of it.

    Parameters
    ----------
    dataset, chunk : str, int
        Name of the data set and number of the chunk.
    structures : Path
        Extended XYZ of the chunk; its outcome (.csv) and statistics (.npz) lie beside it.
    benchmark : Path
        Snakemake's benchmark of the job.

    Returns
    -------
    dict
        ``dataset``, ``chunk``; ``cells`` accepted; cells rejected by reason (``too close``,
        ``duplicate``, ``not finite``); ``environments``; ``log_det`` of the chunk alone;
        ``seconds`` (wall); ``core_seconds``; ``memory`` (largest resident set, MB); ``sha256``
        of the structures.
    """
    outcome = pd.read_csv(structures.with_suffix(".csv"))
    counts = dict(zip(outcome["outcome"], outcome["cells"], strict=True))
    statistics = SetStatistics.load(structures.with_suffix(".npz"))
    benchmarks = pd.read_csv(benchmark, sep="\t", na_values=["-", "NA"])
    used = benchmarks.assign(core_seconds=core_seconds(benchmarks)).iloc[0]
    return {
        "dataset": dataset,
        "chunk": chunk,
        "cells": counts.pop("accepted", 0),
        **{reason: counts.get(reason, 0) for reason in ("too close", "duplicate", "not finite")},
        "environments": statistics.count,
        "log_det": statistics.log_det(),
        "seconds": used["s"],
        "core_seconds": used["core_seconds"],
        "memory": used["max_rss"],
        "sha256": sha256(structures.read_bytes()).hexdigest(),
    }


def summarise_chunks(rows: Sequence[dict[str, object]]) -> pd.DataFrame:
    """Return one row per data set: sums over its chunks, and the largest memory of one."""
    table = pd.DataFrame(rows)
    how = {
        "chunks": ("chunk", "count"),
        **{
            name: (name, "sum")
            for name in ("cells", "too close", "duplicate", "not finite", "environments")
        },
        "core_seconds": ("core_seconds", "sum"),
        "seconds_of_a_chunk": ("seconds", "median"),
        "memory_of_a_chunk": ("memory", "max"),
    }
    return table.groupby("dataset", sort=False).agg(**how).reset_index()
