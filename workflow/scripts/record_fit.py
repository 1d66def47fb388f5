"""Record the settings of a model, the cells it is of, and the SHA-256 of its files."""

import json
from pathlib import Path

from diverse.study.fits import make_record
from diverse.study.job import begin, finish

begin(snakemake)
params, files = snakemake.params, snakemake.input
draws = dict(zip(params.tests, files.draws, strict=True))
model, results = snakemake.wildcards.model, Path(params.results)
record = make_record(model, params.settings, draws, results, files.files)
Path(snakemake.output.record).write_text(json.dumps(record, indent=1) + "\n")
finish(snakemake)
