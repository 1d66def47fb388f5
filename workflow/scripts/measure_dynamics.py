"""Run one potential at constant energy with every time step and velocity seed."""

import logging
from pathlib import Path

import pandas as pd

from diverse.dynamics.conservation import COLUMNS, Protocol, conservation_rows
from diverse.models.calculator import PotentialCalculator
from diverse.models.export import digest
from diverse.structures import random_stream
from diverse.study.job import begin, finish
from diverse.study.settings import reference_lattice

begin(snakemake)
logging.basicConfig(
    filename=snakemake.log[0], filemode="w", level=logging.INFO, format="%(asctime)s %(message)s"
)
study, names = snakemake.params.study, snakemake.wildcards
protocol = Protocol.of(study["dynamics"])
folder = Path(snakemake.input.commands).parent
crystal = reference_lattice(study).conventional().repeat(study["dynamics"]["supercell"])
seeds = range(max(protocol.timesteps.values()))
rows = conservation_rows(
    crystal,
    PotentialCalculator(folder).evaluate,
    protocol,
    [random_stream(study["seed"], "dynamics", seed) for seed in seeds],
)
table = pd.DataFrame(rows, columns=COLUMNS)
table.insert(0, "potential", digest(folder))
table.insert(0, "model", names.model)
table.insert(0, "train", names.train)
table.to_csv(snakemake.output.rows, index=False)
finish(snakemake)
