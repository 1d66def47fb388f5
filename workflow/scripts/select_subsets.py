"""Take the study's subsets from the training parts of its data sets, in every draw."""

import numpy as np
import pandas as pd

from diverse.datasets.draws import WHOLE, members, n_draws, read_draws
from diverse.datasets.selection import select_subset
from diverse.structures import labelled_by_dataset, random_stream
from diverse.study.job import begin, finish
from diverse.study.settings import descriptor_settings, kernel_bandwidths, kernel_cutoff
from diverse.study.subsets import subset_parts

begin(snakemake)
study, subsets, files = snakemake.params.study, snakemake.params.subsets, snakemake.input
tables = dict(zip(snakemake.params.sources, map(read_draws, files.draws), strict=True))
sizes = {name: table["environments"].to_numpy() for name, table in tables.items()}
described = any(subset["method"] != "random" for subset in subsets.values())
cells = labelled_by_dataset(files.cells, tables) if described else {}
taken, draws = [], min(map(n_draws, tables.values()))
for subset_name, subset in subsets.items():
    for draw in range(min(draws, subset["draws"] or draws)):
        for names, environments in subset_parts(subset):
            pool = members({name: tables[name] for name in names}, draw, WHOLE)
            if environments is not None:
                chosen = select_subset(
                    lambda pool=pool: (cells[name][place] for name, place in pool),
                    np.array([sizes[name][place] for name, place in pool]),
                    environments,
                    method=subset["method"],
                    descriptor=descriptor_settings(study),
                    bandwidth=kernel_bandwidths(study, ["volume"])[0],
                    quests_cutoff=kernel_cutoff(study),
                    rng=random_stream(study["seed"], f"{'+'.join(names)}/{subset['method']}", draw),
                )
                pool = [pool[position] for position in sorted(chosen)]
            taken += [(subset_name, draw, name, place) for name, place in pool]
table = pd.DataFrame(taken, columns=["subset", "draw", "source", "cell"])
table.to_csv(snakemake.output.cells, index=False)
finish(snakemake)
