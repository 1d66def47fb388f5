"""Take released models as they are, if they are of the study's cells."""

from pathlib import Path

from diverse.study.fits import take_fits
from diverse.study.job import begin, finish

begin(snakemake)
files = snakemake.input
draws = dict(zip(snakemake.params.tests, files.draws, strict=True))
take_fits(files.records, draws, Path("results", snakemake.config["study"]))
finish(snakemake)
