"""Draw what the entropy term buys."""

from diverse.report.pages.datasets import read_diversity
from diverse.report.plotting import ablation_dots
from diverse.study.ablation import ARMS
from diverse.study.job import begin, finish

begin(snakemake)
families = {arm: entry["family"] for arm, entry in ARMS.items()} | snakemake.params.families
ablation_dots(read_diversity(snakemake.input.table), families).savefig(snakemake.output.figure)
finish(snakemake)
