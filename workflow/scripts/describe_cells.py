"""List the labelled cells of every data set, and the composition and cost of training sets."""

from diverse.datasets.draws import read_draws, subset_sets, whole_sets
from diverse.errors.by_cell import compositions, describe_cells, write_rows
from diverse.structures import labelled_by_dataset
from diverse.study.job import begin, finish

begin(snakemake)
files, params = snakemake.input, snakemake.params
cells = describe_cells(labelled_by_dataset(files.labels, params.datasets))
write_rows(snakemake.output.cells, [cells])
tables = dict(zip(params.datasets, map(read_draws, files.draws), strict=True))
drawn = [part for train in params.trains for part in whole_sets(train, tables[train])]
if files.subsets:
    drawn += subset_sets(files.subsets, params.subsets)
compositions(drawn, cells).to_csv(snakemake.output.training_sets, index=False)
finish(snakemake)
