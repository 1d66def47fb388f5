"""Run one potential at constant energy with every time step and velocity seed."""

from pathlib import Path

from diverse.dynamics.conservation import COLUMNS, Protocol, conservation_rows
from diverse.dynamics.runs import runs_table
from diverse.models.calculator import PotentialCalculator
from diverse.structures import random_stream
from diverse.study.dynamics import dynamic_crystal
from diverse.study.job import begin, finish

begin(snakemake)
study, folder = snakemake.params.study, Path(snakemake.input.commands).parent
protocol = Protocol.of(study["dynamics"])
seeds = range(max(protocol.timesteps.values()))
rows = conservation_rows(
    dynamic_crystal(study),
    PotentialCalculator(folder).evaluate,
    protocol,
    [random_stream(study["seed"], "dynamics", seed) for seed in seeds],
)
names = snakemake.wildcards
table = runs_table(rows, COLUMNS, train=names.train, model=names.model, folder=folder)
table.to_csv(snakemake.output.rows, index=False)
finish(snakemake)
