"""Tabulate and draw errors against the core-hours and the environments of training sets."""

from diverse.errors.curves import learning_curves
from diverse.errors.draws import model_classes, read_table
from diverse.errors.levels import LEVEL_COLUMNS
from diverse.report.plotting import learning_curve_panels
from diverse.study.job import begin, finish

begin(snakemake)
curves = learning_curves(
    read_table(snakemake.input.levels, LEVEL_COLUMNS),
    read_table(snakemake.input.sizes, ["train", "environments", "core_hours"]),
    snakemake.params.curves,
)
curves.to_csv(snakemake.output.table, index=False, float_format="%.6g")
classes = model_classes(snakemake.params.models)
learning_curve_panels(curves, snakemake.params.families, classes).savefig(snakemake.output.figure)
finish(snakemake)
