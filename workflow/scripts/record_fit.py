"""Record the settings of fits, the cells they are of, and the SHA-256 of their files."""

import json
from pathlib import Path

from diverse.study.fits import SUBSET_FITS, make_record
from diverse.study.job import begin, finish

begin(snakemake)
params, files = snakemake.params, snakemake.input
draws = dict(zip(params.tests, files.draws, strict=True))
model = snakemake.wildcards.fit.removesuffix(SUBSET_FITS)
output = Path(snakemake.output.record)
record = make_record(model, params.settings, draws, output.parents[1], files.files)
output.write_text(json.dumps(record, indent=1) + "\n")
finish(snakemake)
