"""Write the SHA-256 of every file that the study's jobs wrote."""

from pathlib import Path

from diverse.seals import write_manifest
from diverse.study.job import begin, finish

begin(snakemake)
write_manifest(Path(snakemake.output.manifest).parent, Path(snakemake.output.manifest))
finish(snakemake)
