"""What making a data set took: read from the files of its chunks."""

from hashlib import sha256

import numpy as np
import pandas as pd

from diverse.descriptors.statistics import SetStatistics
from diverse.generate.summary import chunk_row, core_seconds, summarise_chunks


def made(folder, chunk, accepted, seconds):
    structures = folder / "entropy" / f"{chunk}.xyz"
    structures.parent.mkdir(exist_ok=True)
    structures.write_text(f"chunk {chunk}")
    structures.with_suffix(".csv").write_text(
        "dataset,chunk,outcome,cells\n"
        f"entropy,{chunk},accepted,{accepted}\nentropy,{chunk},too close,2\n"
    )
    SetStatistics(7, np.zeros(2), 7 * np.eye(2)).save(structures.with_suffix(".npz"))
    benchmark = folder / f"{chunk}.tsv"
    benchmark.write_text(f"s\tmax_rss\tcpu_time\n{seconds}\t{100 + chunk}\t{2 * seconds}\n")
    return chunk_row(structures.parent.name, int(structures.stem), structures, benchmark)


def test_rows_of_chunks_and_their_sums(tmp_path):
    rows = [made(tmp_path, chunk, 5 + chunk, 10.0 * chunk) for chunk in (1, 2, 3)]
    assert rows[0]["sha256"] == sha256(b"chunk 1").hexdigest()
    assert abs(rows[0]["log_det"] - 2 * np.log(1.001)) < 1e-12
    (total,) = summarise_chunks(rows).to_dict("records")
    assert total == {
        **{"dataset": "entropy", "chunks": 3, "cells": 21, "too close": 6, "duplicate": 0},
        **{
            "not finite": 0,
            "environments": 21,
            "core_seconds": 20 + 40 * 20 / 15.5 + 60 * 30 / 15.5,
        },
        **{"seconds_of_a_chunk": 20.0, "memory_of_a_chunk": 103},
    }


def test_processor_time_after_the_last_look_at_a_job_is_taken_in_proportion():
    jobs = {"s": [0.2, 12.0, 44.0, 80.0], "cpu_time": [float("nan"), 11.0, 15.0, 75.0]}
    expected = [0.2, 11.0, 15 * 44 / 15.5, 75 * 80 / 75.5]
    assert np.allclose(core_seconds(pd.DataFrame(jobs)), expected)
