"""Make one chunk of an expert-curated data set."""

import logging

from diverse.structures import write_cells
from diverse.study.chunks import expert_chunk
from diverse.study.job import begin, finish

begin(snakemake)
logging.basicConfig(
    filename=snakemake.log[0], filemode="w", level=logging.INFO, format="%(message)s"
)
name, chunk = snakemake.wildcards.dataset, int(snakemake.wildcards.chunk)
cells = expert_chunk(snakemake.params.study, name, snakemake.params.dataset, chunk)
write_cells(snakemake.output.cells, cells)
finish(snakemake)
