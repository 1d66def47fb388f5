"""Tabulate descriptors, gradients and labels of one part of a data set."""

from diverse.descriptors import describe
from diverse.kernel import BispectrumSettings
from diverse.structures import read_cells
from diverse.zbl import ZBL

study = snakemake.params.study
settings = BispectrumSettings(int(snakemake.wildcards.twojmax), study["cutoff"])
cells = read_cells(snakemake.input.cells)
describe(cells, settings, ZBL(study["element"], **study["zbl"])).save(snakemake.output.table)
