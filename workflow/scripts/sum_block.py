"""Sum the normal equations of one block of a training set, for every fit that holds the block."""

from threadpoolctl import threadpool_limits

from diverse.datasets.blocks import block_cells
from diverse.datasets.draws import read_draws
from diverse.models.polynomial.forms import form_of
from diverse.models.polynomial.sums import load_basis, save_sums, sum_part
from diverse.progress import tracked
from diverse.study.job import begin, finish
from diverse.study.settings import repulsion

begin(snakemake)
study, files, block = snakemake.params.study, snakemake.input, int(snakemake.wildcards.block)
form, table = form_of(snakemake.params.model), read_draws(files.draws)
size = int((table["block"] == block).sum())
with threadpool_limits(snakemake.threads):
    part = sum_part(
        tracked(block_cells(files.labels, table, [block]), size, f"cells of block {block}"),
        form.source(study["cutoff"], study["element"]),
        load_basis(files.basis),
        repulsion(study),
    )
save_sums(snakemake.output.sums, part)
finish(snakemake)
