"""Draw sizes of forces, iterations and core time of the labels of all data sets."""

from diverse.report.plotting import label_panels
from diverse.structures import labelled_by_dataset
from diverse.study.job import begin, finish

begin(snakemake)
families = snakemake.params.families
cells = labelled_by_dataset(snakemake.input.cells, families)
label_panels(cells, families).savefig(snakemake.output.figure)
finish(snakemake)
