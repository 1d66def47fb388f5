"""Draw what the entropy term buys."""

from diverse.diversity.ablation import ARMS
from diverse.plotting import ablation_dots
from diverse.tables import read_diversity

families = {arm: entry["family"] for arm, entry in ARMS.items()} | snakemake.params.families
ablation_dots(read_diversity(snakemake.input.table), families).savefig(snakemake.output.figure)
