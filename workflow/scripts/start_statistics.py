"""Describe what a data set complements, or nothing."""

from diverse.generate.chunk import cell_statistics
from diverse.generate.entropy import Whitening
from diverse.structures import read_cells

cells = read_cells(snakemake.input.get("cells") or [])
whitening = Whitening.load(snakemake.input.whitening)
statistics = cell_statistics(cells, study=snakemake.params.study, whitening=whitening)
statistics.save(snakemake.output.statistics)
