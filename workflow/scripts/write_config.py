"""Write the study with every default filled in, whole or not at all: it is read while it runs."""

import os
from pathlib import Path

import yaml

from diverse.study.job import begin, finish

begin(snakemake)
path = Path(snakemake.output.config)
temporary = path.with_name(f".{path.name}.{os.getpid()}")
temporary.write_text(yaml.safe_dump(dict(snakemake.params.study), sort_keys=False))
os.replace(temporary, path)
finish(snakemake)
