"""Choose the basis in which the normal equations of all blocks of a training set are summed."""

from diverse.datasets.blocks import block_cells, surveyed_blocks
from diverse.datasets.draws import read_draws
from diverse.models.polynomial.accumulate import survey
from diverse.models.polynomial.forms import form_of
from diverse.models.polynomial.sums import basis_of_sums, save_basis
from diverse.study.job import begin, finish

SURVEYED = 100_000  # environments, in whole blocks: a basis changes no fit but by rounding

begin(snakemake)
study, form = snakemake.params.study, form_of(snakemake.params.model)
table = read_draws(snakemake.input.draws)
cells = block_cells(snakemake.input.labels, table, surveyed_blocks(table, SURVEYED))
found = survey(cells, form.source(study["cutoff"], study["element"]))
save_basis(snakemake.output.basis, basis_of_sums(found, form))
finish(snakemake)
