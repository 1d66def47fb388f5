"""Run one potential in ramps of temperature and pressure until it fails, and look at novelty."""

from pathlib import Path

from diverse.descriptors.whitening import Whitening
from diverse.diversity import Novelty
from diverse.dynamics.ramps import COLUMNS, ramp_rows, ramps_of
from diverse.dynamics.runs import runs_table
from diverse.models.calculator import PotentialCalculator
from diverse.structures import random_stream, read_cells
from diverse.study.dynamics import dynamic_crystal
from diverse.study.job import begin, finish
from diverse.study.settings import descriptor_settings, reference_lattice

begin(snakemake)
given, study = snakemake.input, snakemake.params.study
settings, folder = study["dynamics"]["ramps"], Path(given.commands).parent
whitening = Whitening.load(given.whitening)
novelty = Novelty(read_cells(given.training), descriptor_settings(study), whitening)
rows = ramp_rows(
    ramps_of(dynamic_crystal(study), settings),
    PotentialCalculator(folder).evaluate,
    [random_stream(study["seed"], "ramps", seed) for seed in range(settings["seeds"])],
    length=settings["duration"],
    nearest=reference_lattice(study).nearest_neighbour,
    novelty=novelty.of_cells,
    threshold=novelty.threshold(read_cells(given.left_out), settings["warning"]),
)
names = snakemake.wildcards
table = runs_table(rows, COLUMNS, train=names.train, model=names.model, folder=folder)
table.to_csv(snakemake.output.rows, index=False, float_format="%.6g")
finish(snakemake)
