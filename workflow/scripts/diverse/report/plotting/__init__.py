"""Every figure of a study, in one look."""

from diverse.report.plotting.calibration import calibration_curves
from diverse.report.plotting.coverage import coverage_heatmaps
from diverse.report.plotting.curves import learning_curve_panels, size_panels
from diverse.report.plotting.datasets import energy_landscape, geometry_curves, map_of_environments
from diverse.report.plotting.diversity import ablation_dots, diversity_dots
from diverse.report.plotting.fits import ridge_paths
from diverse.report.plotting.gallery import gallery
from diverse.report.plotting.groups import group_dots
from diverse.report.plotting.labels import label_panels
from diverse.report.plotting.mixtures import mixture_panels
from diverse.report.plotting.novelty import novelty_panels
from diverse.report.plotting.ratios import ratio_dots
from diverse.report.plotting.search import search_curves
from diverse.report.plotting.style import colours, looks, style
from diverse.report.plotting.training import training_curves
from diverse.report.plotting.transferability import transferability_heatmap

__all__ = [
    "ablation_dots",
    "calibration_curves",
    "colours",
    "coverage_heatmaps",
    "diversity_dots",
    "energy_landscape",
    "gallery",
    "geometry_curves",
    "group_dots",
    "label_panels",
    "learning_curve_panels",
    "looks",
    "map_of_environments",
    "mixture_panels",
    "novelty_panels",
    "ratio_dots",
    "ridge_paths",
    "search_curves",
    "size_panels",
    "style",
    "training_curves",
    "transferability_heatmap",
]
