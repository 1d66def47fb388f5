"""Take a subset of the training part of a data set."""

from diverse.diversity import quests_bandwidths
from diverse.kernel import BispectrumSettings
from diverse.selection import select_subset
from diverse.structures import ReferenceLattice, iterate_cells, random_stream, write_cells

study, subset = snakemake.params.study, snakemake.params.subset
lattice = ReferenceLattice(study["element"], **study["lattice"])
chosen = select_subset(
    lambda: iterate_cells(snakemake.input.cells),
    subset["environments"],
    method=subset["method"],
    descriptor=BispectrumSettings(study["optimiser"]["twojmax"], study["cutoff"]),
    bandwidth=quests_bandwidths(["volume"], lattice.volume_per_atom)[0],
    rng=random_stream(study["seed"], f"{subset['of']}/{subset['method']}", 0),
)
write_cells(snakemake.output.train, iterate_cells(snakemake.input.cells), set(chosen))
with open(snakemake.log[0], "w") as log:
    print(len(chosen), "cells", file=log)
