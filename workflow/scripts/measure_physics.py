"""Measure the physical properties of one potential."""

import json
from pathlib import Path

from diverse.labels.labellers import make_labeller
from diverse.labels.ledger import Ledger
from diverse.labels.pool import Effort
from diverse.models.calculator import PotentialCalculator
from diverse.models.export import digest
from diverse.physics.calculators import LabellerCalculator
from diverse.physics.properties import measure_properties
from diverse.study.job import begin, finish
from diverse.study.settings import reference_lattice

begin(snakemake)
params, log = snakemake.params, Path(snakemake.log[0])
source, name = params.potential, snakemake.wildcards.potential


def say(line: str) -> None:
    with log.open("a") as file:
        print(line, file=file)


if "labeller" in source:
    labeller = make_labeller(source["labeller"])
    others = sorted(Path(params.released).glob("*/*.xyz.xz")) if params.released else []
    ledger = None if labeller.kind == "lammps" else Ledger(Path(params.ledger), others)
    effort = Effort(timeout=params.timeout, time_limit=snakemake.resources.time_limit)
    calculator = LabellerCalculator(labeller, log, ledger, effort, say)
    identity = labeller.protocol
else:
    folder = Path(snakemake.input.potential[0]).parent
    calculator, identity = PotentialCalculator(folder), digest(folder)
table, curves = measure_properties(
    reference_lattice(params.study),
    calculator,
    largest=source["atoms"],
    melting=params.melting,
    say=say,
)
for column, text in (
    ("digest", identity),
    ("model", source.get("model", "")),
    ("train", source.get("train", "")),
    ("potential", name),
):
    table.insert(0, column, text)
table.to_csv(snakemake.output.table, index=False, float_format="%.6g")
Path(snakemake.output.curves).write_text(json.dumps({name: curves}))
finish(snakemake)
