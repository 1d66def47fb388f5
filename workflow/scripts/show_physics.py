"""Show the physical properties of all potentials beside the labeller and the literature."""

import json
from pathlib import Path

import pandas as pd

from diverse.physics.references import read_references
from diverse.physics.table import collect_properties
from diverse.report.pages.physics import physics_page
from diverse.report.plotting.physics import deviations
from diverse.study.job import begin, finish

begin(snakemake)
given, made, params = snakemake.input, snakemake.output, snakemake.params
names = list(params.potentials)
tables = dict(zip(names, map(pd.read_csv, given.tables), strict=True))
texts = (Path(path).read_text() for path in given.curves)
curves = dict(zip(names, map(json.loads, texts), strict=True))
references = read_references(Path(given.references)) if given.references else None
table = collect_properties(tables, params.potentials, params.labeller, references)
table.to_csv(made.table, index=False, float_format="%.6g")
Path(made.curves).write_text(json.dumps(curves, separators=(",", ":")))
Path(made.page).write_text(physics_page(Path(given.template).read_text(), table, curves))
deviations(table, params.families).savefig(made.figure)
finish(snakemake)
