"""Fit polynomials to the training sets of every draw, and measure their errors cell by cell."""

from itertools import product

from threadpoolctl import threadpool_limits

from diverse.datasets.draws import WHOLE, subset_sets
from diverse.errors.by_cell import LabelledSets, write_rows
from diverse.models.polynomial.fit import fit_streaming
from diverse.models.polynomial.settings import FitSettings
from diverse.models.search import with_searched_weights
from diverse.progress import tracked
from diverse.study.job import begin, finish
from diverse.study.settings import repulsion

begin(snakemake)
files, params = snakemake.input, snakemake.params
study, subsets = params.study, params.subsets
options = {"cutoff": study["cutoff"], "zbl": repulsion(study)}
tables = dict(zip(params.datasets, files.draws, strict=True))
searches = dict(zip(params.searched, files.searches, strict=True))
of_subsets = subset_sets(files.subsets, subsets) if subsets else None
sets = LabelledSets.read(files.labels, tables, drawn=of_subsets, **options)
drawn_sets = sets.drawn(snakemake.wildcards.train) if of_subsets is None else of_subsets
fits = list(product(params.models.items(), drawn_sets))
rows = []
with open(snakemake.log[0], "a") as log, threadpool_limits(snakemake.threads):
    for (name, model), drawn in tracked(fits, len(fits), "fits"):
        search = searches.get(f"{drawn.train}/{name}")
        block = with_searched_weights(model, search) | params.overrides.get(drawn.train, {})
        cells = sets.cells(drawn.cells)
        try:
            found, _, fit = fit_streaming(cells.copy, FitSettings.of(block), **options)
        except ValueError as error:
            if drawn.part == WHOLE and not subsets:
                raise
            print(name, *drawn[:3], "left out:", error, file=log, flush=True)
            continue  # a half or a subset may be too small: the others go on
        print(name, *drawn[:3], len(cells), "cells, ridge", fit.ridge, file=log, flush=True)
        rows.append(sets.errors(found, drawn, name=name, seed=0))
write_rows(snakemake.output.errors, rows)
finish(snakemake)
