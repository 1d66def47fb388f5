"""Draw distances, volumes and coordination of all data sets."""

from diverse.diversity import EnvironmentSample
from diverse.report.plotting import geometry_curves
from diverse.study.job import begin, finish

begin(snakemake)
families = snakemake.params.families
samples = {
    name: EnvironmentSample.load(path)
    for name, path in zip(families, snakemake.input.samples, strict=True)
}
geometry_curves(samples, families).savefig(snakemake.output.figure)
finish(snakemake)
