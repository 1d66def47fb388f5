"""Describe what a data set complements, or nothing."""

from diverse.descriptors.whitening import Whitening
from diverse.structures import read_cells
from diverse.study.chunks import cell_statistics

cells = read_cells(snakemake.input.get("cells") or [])
whitening = Whitening.load(snakemake.input.whitening)
statistics = cell_statistics(cells, study=snakemake.params.study, whitening=whitening)
statistics.save(snakemake.output.statistics)
