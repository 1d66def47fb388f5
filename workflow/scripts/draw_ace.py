"""Fit ACE to the training sets of every draw, or take released errors; score the first draw."""

from pathlib import Path

import numpy as np
from threadpoolctl import threadpool_limits

from diverse.datasets.draws import TEST, WHOLE, read_draws
from diverse.errors.ace import (
    fit_digest,
    fit_draws,
    read_fits,
    released_fits,
    score_first_draw,
)
from diverse.errors.by_cell import LabelledSets, write_rows
from diverse.errors.draws import read_errors
from diverse.errors.scores import Labels
from diverse.models.ace.basis import package_version
from diverse.structures import iterate_cells, read_cells
from diverse.study.fits import SOLVER
from diverse.study.job import begin, finish
from diverse.study.settings import repulsion

begin(snakemake)
files, params, output = snakemake.input, snakemake.params, snakemake.output
study, models, train = params.study, params.models, snakemake.wildcards.train
options = {"cutoff": study["cutoff"], "zbl": repulsion(study)}
digests = {
    name: fit_digest(model, files.draws, **options, solver=SOLVER) for name, model in models.items()
}
with open(snakemake.log[0], "w") as log, threadpool_limits(snakemake.threads):
    if params.here:
        tables = dict(zip(params.datasets, files.draws, strict=True))
        sets = LabelledSets.read(files.labels, tables, **options)
        drawn = [one for one in sets.drawn(train) if params.halves or one.part == WHOLE]
        errors, fits = fit_draws(
            sets, drawn, models, digests, **options, code=package_version(), log=log
        )
    else:
        errors, fits = released_fits(files.released, digests)
        print(f"not fitted here: {len(fits)} fits are released of these draws", file=log)
write_rows(output.errors, [errors])
write_rows(output.fits, [fits])

tests = {}
for name, path, table in zip(params.datasets, files.tests, files.draws, strict=True):
    if cells := read_cells(path):
        places = np.flatnonzero(read_draws(table)["draw0"] == TEST)
        tests[name] = Labels.of(cells), places
scores = score_first_draw(
    read_errors([output.errors]),  # what the file holds, so that released errors score the same
    read_fits([output.fits]),
    models,
    Labels.of(iterate_cells([files.training])),
    tests,
    {"study": study["study"], "train": train},
)
Path(output.scores).parent.mkdir(parents=True, exist_ok=True)
scores.to_csv(output.scores, index=False)
finish(snakemake)
