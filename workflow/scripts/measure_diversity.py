"""Measure the diversity of every data set and how well the sets cover each other."""

import numba

from diverse.diversity import (
    ComparisonSettings,
    EnvironmentSample,
    compare_samples,
    quests_bandwidths,
)
from diverse.generate.entropy import Whitening
from diverse.structures import ReferenceLattice
from diverse.tables import diversity_page

study = snakemake.params.study
numba.set_num_threads(snakemake.threads)
lattice = ReferenceLattice(study["element"], **study["lattice"])
options = dict(study["diversity"])
bandwidths = quests_bandwidths(options.pop("bandwidths"), lattice.volume_per_atom)
samples = {
    name: EnvironmentSample.load(path)
    for name, path in zip(snakemake.params.datasets, snakemake.input.samples, strict=True)
}
table = compare_samples(
    samples,
    Whitening.load(snakemake.input.whitening),
    ComparisonSettings(bandwidths=bandwidths, **options),
    seed=study["seed"],
)
table.to_csv(snakemake.output.table, index=False, float_format="%.8g")
with open(snakemake.output.page, "w") as page:
    page.write(diversity_page(table))
