"""Collect tables, figures, captions and provenance in one HTML page: snakemake --report."""

import subprocess
from pathlib import Path

from diverse.study.job import begin, finish

begin(snakemake)
snakefile = Path(snakemake.scriptdir).resolve().parents[1] / "Snakefile"
command = ["snakemake", "--snakefile", snakefile, "--configfile", snakemake.input.config]
command += ["--nolock", "--report", snakemake.output.page]
command += ["--report-stylesheet", snakemake.input.style, "--", "results"]
with open(snakemake.log[0], "w") as log:
    subprocess.run(command, check=True, stdout=log, stderr=log)
finish(snakemake)
