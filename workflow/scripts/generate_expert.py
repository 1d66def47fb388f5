"""Make all chunks of the expert-curated data sets."""

import logging

from diverse.structures import write_cells
from diverse.study.chunks import expert_cells_of
from diverse.study.job import begin, finish

begin(snakemake)
logging.basicConfig(
    filename=snakemake.log[0], filemode="a", level=logging.INFO, format="%(message)s"
)
cells = {}
for name, dataset in snakemake.params.datasets.items():
    logging.info("%s:", name)
    cells[name] = expert_cells_of(snakemake.params.study, name, dataset)
for (name, chunk), path in zip(snakemake.params.chunks, snakemake.output, strict=True):
    write_cells(path, cells[name][chunk :: snakemake.params.datasets[name]["chunks"]])
finish(snakemake)
