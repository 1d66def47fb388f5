"""Estimate what a study will take: every stage, and hours of labelling on so many nodes."""

from pathlib import Path

import yaml

from diverse.study.check import load_study
from diverse.study.estimate import estimate, read_rates, released_cost, wall_times
from diverse.study.job import begin, finish

begin(snakemake)
files, params = snakemake.input, snakemake.params
reference = load_study(yaml.safe_load(Path(files.reference).read_text()), files.schema)
made = {name: list(map(Path, paths)) for name, paths in params.structures.items()}
stages = estimate(
    params.study,
    released_cost(reference, Path(params.released)),
    read_rates(Path(params.released, "benchmarks")),
    made,
)
nodes = wall_times(stages, params.nodes, cores=snakemake.resources.node_cores)
for table, path in ((stages, snakemake.output.stages), (nodes, snakemake.output.nodes)):
    table.to_csv(path, index=False, float_format="%.6g")
finish(snakemake)
