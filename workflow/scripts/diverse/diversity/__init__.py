"""Diversity of data sets, and coverage of one set by another; no labels are needed."""

from diverse.diversity.compare import (
    ComparisonSettings,
    common_size,
    compare_samples,
)
from diverse.diversity.measures import (
    distinct,
    effective_rank,
    log_det,
    nearest_distances,
    nearest_neighbour_entropy,
)
from diverse.diversity.novelty import Novelty, cell_novelty
from diverse.diversity.quests_kernel import (
    quests_bandwidths,
    quests_descriptors,
    quests_diversity,
    quests_entropy,
    quests_overlap,
    quests_threads,
)
from diverse.diversity.sample import (
    EnvironmentSample,
    draw_environments,
    sample_cells,
    sample_environments,
)

__all__ = [
    "ComparisonSettings",
    "EnvironmentSample",
    "Novelty",
    "cell_novelty",
    "common_size",
    "compare_samples",
    "distinct",
    "draw_environments",
    "effective_rank",
    "log_det",
    "nearest_distances",
    "nearest_neighbour_entropy",
    "quests_bandwidths",
    "quests_descriptors",
    "quests_diversity",
    "quests_entropy",
    "quests_overlap",
    "quests_threads",
    "sample_cells",
    "sample_environments",
]
