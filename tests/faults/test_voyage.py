"""Everything comes over runs of the smoke study, which end with the same scores."""

import os
from collections import defaultdict

import numpy as np
import pytest

from misfortunes import plan
from same_scores import same_scores
from voyage import STAGES, Voyage, own_disk

pytestmark = [
    pytest.mark.skipif(os.environ.get("DIVERSE_THOROUGH") != "1", reason="takes half an hour"),
    pytest.mark.skipif(os.geteuid() != 0, reason="only root mounts disks"),
]
SCORES = "results/smoke/tables/scores.csv"
KILLED = 30
ENDINGS = {
    "disk full": "one sentence; once there is space the same command goes on",
    "disk read-only": "one sentence; once it can be written the same command goes on",
    "a second Snakemake": "it refuses, and the first goes on",
    "`.snakemake` lost with all processes": "the same command goes on, or names a file to remove",
}
ROOM = 200  # MB; the study takes a tenth of it
# A stage of one short job beside long ones can be over before its faults came: they come over
# another run from the beginning, as soon as the job is seen.
VOYAGES = 4
AT_ONCE = 0.3  # s


def stages_of(study):
    """Return the stages whose rules ran in a finished study, in alphabetical order."""
    logs = (study / "results/smoke/logs").iterdir()
    return sorted({STAGES[path.stem] for path in logs if path.stem in STAGES})


def test_a_study_that_all_faults_come_over_ends_with_the_same_scores(study, tmp_path, drilled):
    of_stage, rng = stages_of(study), np.random.default_rng(26)
    coming = plan(of_stage, rng, kills=KILLED, others=True)
    wanted = sorted(fault for faults in coming.values() for fault in faults)
    strikes = []
    for number in range(VOYAGES):
        with own_disk(tmp_path / f"disk{number}", ROOM) as disk:
            voyage = Voyage(disk, coming, rng, *([AT_ONCE] if number else []))
            voyage.sail()
            assert same_scores(voyage.folder / SCORES, study / SCORES)
        strikes += voyage.strikes
        if not any(coming.values()):
            break
    assert len(of_stage) > 10
    assert not any(coming.values()), f"these did not come: {coming}"
    by_fault = defaultdict(list)
    for strike in strikes:
        by_fault[strike.fault].append(strike)
        print(strike)
    assert sorted(strike.fault for strike in strikes) == wanted
    for fault, found in by_fault.items():
        jobs = max(strike.jobs for strike in found)
        files = sum(strike.files for strike in found)
        drilled(
            f"{fault}, in {len({strike.stage for strike in found})} of {len(of_stage)} stages",
            ENDINGS.get(fault, "the same command goes on"),
            times=len(found),
            lost=f"jobs that ran, at most {jobs}; {files} finished files made again",
        )
