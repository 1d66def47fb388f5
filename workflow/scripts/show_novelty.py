"""Tabulate and draw errors of test cells against their novelty and their shortest distance."""

from diverse.errors.draws import model_classes, read_errors, read_table
from diverse.errors.novelty import binned_medians, error_by_novelty, largest_of_class
from diverse.errors.views import parameters_of_models, read_scores
from diverse.report.plotting import novelty_panels
from diverse.study.job import begin, finish

begin(snakemake)
parameters = parameters_of_models(read_scores(snakemake.input.scores))
cells = read_table(snakemake.input.cells, ["test", "cell", "key", "d_min"])
novelty = read_table(snakemake.input.novelty, ["train", "test", "key", "novelty"])
models = largest_of_class(parameters, model_classes(snakemake.params.models))
rows = error_by_novelty(read_errors(snakemake.input.errors), cells, novelty, models)
table = binned_medians(rows)
table.to_csv(snakemake.output.table, index=False, float_format="%.6g")
novelty_panels(table, novelty, cells, snakemake.params.families).savefig(snakemake.output.figure)
finish(snakemake)
