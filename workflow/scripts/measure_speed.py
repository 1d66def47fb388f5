"""Run one benchmark; what it prints is the log of the job."""

import subprocess
import sys

from diverse.study.job import begin, finish

begin(snakemake)
command = [sys.executable, snakemake.input.program, "--ratios", snakemake.output.table]
with open(snakemake.log[0], "a") as log:
    subprocess.run(command, check=True, stdout=log, stderr=log)
finish(snakemake)
