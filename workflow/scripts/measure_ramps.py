"""Run one potential in ramps of temperature and pressure until it fails."""

from pathlib import Path

import pandas as pd

from diverse.dynamics.ramps import COLUMNS, ramp_rows, ramps_of
from diverse.models.calculator import PotentialCalculator
from diverse.models.export import digest
from diverse.structures import random_stream
from diverse.study.job import begin, finish
from diverse.study.settings import reference_lattice

begin(snakemake)
study, names = snakemake.params.study, snakemake.wildcards
settings, lattice = study["dynamics"]["ramps"], reference_lattice(study)
folder = Path(snakemake.input.commands).parent
rows = ramp_rows(
    ramps_of(lattice.conventional().repeat(study["dynamics"]["supercell"]), settings),
    PotentialCalculator(folder).evaluate,
    [random_stream(study["seed"], "ramps", seed) for seed in range(settings["seeds"])],
    length=settings["duration"],
    nearest=lattice.nearest_neighbour,
)
table = pd.DataFrame(rows, columns=COLUMNS)
table.insert(0, "potential", digest(folder))
table.insert(0, "model", names.model)
table.insert(0, "train", names.train)
table.to_csv(snakemake.output.rows, index=False)
finish(snakemake)
