"""Compare the labels of the data sets: sizes, energies, forces, cost."""

from diverse.labels.facts import facts_by_dataset
from diverse.report.pages.datasets import datasets_page, summarise
from diverse.report.plotting import energy_landscape
from diverse.study.job import begin, finish

begin(snakemake)
families = snakemake.params.families
labels = facts_by_dataset(snakemake.input.cells, families)
summary = summarise(labels)
summary.to_csv(snakemake.output.table, index=False)
with open(snakemake.output.page, "w") as page:
    page.write(datasets_page(summary))
energy_landscape(labels, families).savefig(snakemake.output.figure)
finish(snakemake)
