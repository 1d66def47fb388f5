"""Show the physical properties of all potentials beside the labeller and the literature."""

import json
from pathlib import Path

import pandas as pd

from diverse.labels.labellers import make_labeller
from diverse.models.export import digest
from diverse.physics.properties import definitions
from diverse.physics.references import read_references
from diverse.physics.table import collect_properties
from diverse.report.pages.physics import physics_page
from diverse.report.plotting.physics import deviations
from diverse.study.job import begin, finish
from diverse.study.settings import reference_lattice

begin(snakemake)
given, made, params = snakemake.input, snakemake.output, snakemake.params
measured = pd.concat(pd.read_csv(path, dtype={"digest": str}) for path in given.tables)
curves = {}
for path in given.curves:
    curves |= json.loads(Path(path).read_text())
folders = iter(Path(path).parent for path in given.commands)
potentials = {}
for name, source in params.potentials.items():
    own = "labeller" not in source
    identity = digest(next(folders)) if own else make_labeller(source["labeller"]).protocol
    potentials[name] = {key: source.get(key, "") for key in ("train", "model")}
    potentials[name]["digest"] = identity
references = read_references(Path(given.references)) if given.references else None
table = collect_properties(measured, potentials, params.labeller, references)
table["origin"] = params.origin
table.to_csv(made.table, index=False, float_format="%.6g")
behind = {
    "curves": {name: curves[name] for name in potentials if name in curves},
    "definitions": definitions(reference_lattice(params.study), params.study["physics"]["melting"]),
}
Path(made.curves).write_text(json.dumps(behind, separators=(",", ":")))
Path(made.page).write_text(physics_page(Path(given.template).read_text(), table, behind))
deviations(table, params.families).savefig(made.figure)
finish(snakemake)
