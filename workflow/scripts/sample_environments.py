"""Sample the environments of one data set and describe them."""

import numba

from diverse.diversity import sample_environments
from diverse.kernel import BispectrumSettings
from diverse.structures import ReferenceLattice, iterate_cells, random_stream

study, name = snakemake.params.study, snakemake.wildcards.dataset
numba.set_num_threads(snakemake.threads)
lattice = ReferenceLattice(study["element"], **study["lattice"])
sample_environments(
    iterate_cells(snakemake.input.cells),
    study["diversity"]["environments"],
    BispectrumSettings(study["optimiser"]["twojmax"], study["cutoff"]),
    coordination_radius=1.2 * lattice.nearest_neighbour,
    rng=random_stream(study["seed"], f"{name}/sample", 0),
).save(snakemake.output.sample)
