"""Draw sizes of forces, iterations and core time of the labels of all data sets."""

from diverse.labels.facts import facts_by_dataset
from diverse.report.plotting import label_panels
from diverse.study.job import begin, finish

begin(snakemake)
families = snakemake.params.families
labels = facts_by_dataset(snakemake.input.cells, families)
label_panels(labels, families).savefig(snakemake.output.figure)
finish(snakemake)
