"""Make one chunk of an expert-curated data set."""

from diverse.generate.chunk import expert_chunk
from diverse.structures import write_cells

name, chunk = snakemake.wildcards.dataset, int(snakemake.wildcards.chunk)
cells = expert_chunk(snakemake.params.study, name, snakemake.params.dataset, chunk)
write_cells(snakemake.output.cells, cells)
