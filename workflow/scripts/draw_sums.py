"""Fit a model to the sums of the blocks of every draw and its halves; measure its errors."""

from itertools import product

from threadpoolctl import threadpool_limits

from diverse.datasets.blocks import blocks_of
from diverse.datasets.draws import PARTS, WHOLE, DrawnSet, members, n_draws, read_draws
from diverse.errors.by_cell import LabelledSets, write_rows
from diverse.models.polynomial.forms import form_of
from diverse.models.polynomial.settings import FitSettings
from diverse.models.polynomial.sums import fit_sums, read_sums
from diverse.models.search import with_searched_weights
from diverse.progress import tracked
from diverse.study.job import begin, finish
from diverse.study.settings import repulsion

begin(snakemake)
files, params = snakemake.input, snakemake.params
train, name = snakemake.wildcards.train, snakemake.wildcards.model
tables = dict(zip(params.datasets, files.draws, strict=True))
settings = FitSettings.of(with_searched_weights(params.model, files.search or None))
table = read_draws(tables[train])
drawn_sets = [  # one training cell of each says by what protocol all are labelled
    DrawnSet(train, draw, part, members({train: table}, draw, part)[:1])
    for draw, part in product(range(n_draws(table)), PARTS)
]
options = {"cutoff": params.study["cutoff"], "zbl": repulsion(params.study)}
sets = LabelledSets.read(files.labels, tables, drawn=drawn_sets, **options)
rows = []
with open(snakemake.log[0], "a") as log, threadpool_limits(snakemake.threads):
    summed = form_of(params.summed)
    basis, parts = read_sums(files.basis, files.sums, settings.form, params.blocks, summed=summed)
    for drawn in tracked(drawn_sets, len(drawn_sets), "fits"):
        blocks = blocks_of(table, drawn.draw, drawn.part)
        try:
            found, _, fit = fit_sums([parts[block] for block in blocks], basis, settings)
        except ValueError as error:
            if drawn.part == WHOLE:
                raise
            print(name, *drawn[:3], "left out:", error, file=log, flush=True)
            continue  # a half may be too small: the others go on
        print(name, *drawn[:3], len(blocks), "blocks, ridge", fit.ridge, file=log, flush=True)
        rows.append(sets.errors(found, drawn, name=name, seed=0))
write_rows(snakemake.output.errors, rows)
finish(snakemake)
