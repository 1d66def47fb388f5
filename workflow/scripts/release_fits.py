"""Add models that are finished to the released ones, whether the study is or not."""

from pathlib import Path

from diverse.report.release import write_manifest
from diverse.study.fits import release_fits
from diverse.study.job import begin

begin(snakemake)
target = Path(snakemake.params.target)
names = release_fits(Path(snakemake.params.results), target)
write_manifest(target.parents[1])
with open(snakemake.log[0], "w") as log:
    print("released:", *names, file=log)
