"""Sample the environments of one data set and describe them."""

from diverse.diversity import quests_threads, sample_environments
from diverse.structures import iterate_cells, random_stream
from diverse.study.job import begin, finish
from diverse.study.settings import coordination_radius, descriptor_settings, kernel_cutoff

begin(snakemake)
study, name = snakemake.params.study, snakemake.wildcards.dataset
quests_threads(snakemake.threads)
sample_environments(
    iterate_cells(snakemake.input.cells),
    study["diversity"]["environments"],
    descriptor_settings(study),
    coordination_radius=coordination_radius(study),
    quests_cutoff=kernel_cutoff(study),
    rng=random_stream(study["seed"], f"{name}/sample", 0),
).save(snakemake.output.sample)
finish(snakemake)
