"""List the labelled cells of every data set, and the composition and cost of training sets."""

from itertools import chain

import pandas as pd

from diverse.datasets.draws import read_draws, subset_sets, whole_sets
from diverse.errors.by_cell import write_rows
from diverse.errors.inventory import compositions, describe_cells, label_costs, listed_places, pools
from diverse.structures.frames import read_places
from diverse.study.job import begin, finish

begin(snakemake)
files, params = snakemake.input, snakemake.params
tables = dict(zip(params.datasets, map(read_draws, files.draws), strict=True))
places = listed_places(tables) if params.some else {n: set(t["cell"]) for n, t in tables.items()}
write_rows(snakemake.output.cells, [describe_cells(read_places(files.labels, places))])
costs = label_costs(files.labels)
drawn = chain.from_iterable(whole_sets(train, tables[train]) for train in params.trains)
subsets = subset_sets(files.subsets, params.subsets) if files.subsets else []
sizes = [compositions(chain(drawn, subsets), costs), *([pools(costs)] if params.some else [])]
pd.concat(sizes).to_csv(snakemake.output.training_sets, index=False)
finish(snakemake)
