"""Put the claims of this study beside those of a released one, with what they differ in."""

from pathlib import Path

import pandas as pd

from diverse.errors.beside import EQUAL_SIZES, claims_beside, equal_sizes, set_facts
from diverse.errors.effects import reference_set
from diverse.report.pages.beside import beside_page
from diverse.report.release_guard import released_study
from diverse.structures.frames import read_frames
from diverse.study.job import begin, finish

begin(snakemake)
params, given = snakemake.params, snakemake.input
release = Path(given.released).parents[1]
first = next(read_frames(sorted((release / "labels").glob("*.xyz.xz"))))
facts = pd.concat(
    set_facts(name, labeller, pd.read_csv(path))
    for name, labeller, path in (
        (params.study, params.labeller, given.sizes),
        (released_study(release), first.info()["labeller"], release / "tables/training_sets.csv"),
    )
)
facts = facts[facts["train"].isin(params.trains)]
claims = claims_beside(*(pd.read_csv(path) for path in (given.claims, given.released)))
sizes = pd.DataFrame(columns=EQUAL_SIZES)
if given.curves:
    reference = reference_set(params.trains, params.families)
    sizes = equal_sizes(pd.read_csv(given.curves), params.curves, reference)
claims.to_csv(snakemake.output.table, index=False)
sizes.to_csv(snakemake.output.sizes, index=False)
Path(snakemake.output.page).write_text(beside_page(claims, facts, sizes))
finish(snakemake)
