"""Draw the environments of all data sets on their principal components."""

from diverse.diversity import EnvironmentSample
from diverse.report.plotting import map_of_environments
from diverse.study.job import begin, finish

begin(snakemake)
families = snakemake.params.families
samples = {
    name: EnvironmentSample.load(path)
    for name, path in zip(families, snakemake.input.samples, strict=True)
}
map_of_environments(samples, families).savefig(snakemake.output.figure)
finish(snakemake)
