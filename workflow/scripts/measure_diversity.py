"""Measure the diversity of every data set and how well the sets cover each other."""

from diverse.descriptors.whitening import Whitening
from diverse.diversity import (
    ComparisonSettings,
    EnvironmentSample,
    compare_samples,
    quests_threads,
)
from diverse.report.pages.datasets import diversity_page
from diverse.study.job import begin, finish
from diverse.study.settings import kernel_bandwidths

begin(snakemake)
study = snakemake.params.study
quests_threads(snakemake.threads)
options = dict(study["diversity"])
bandwidths = kernel_bandwidths(study, options.pop("bandwidths"))
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
finish(snakemake)
