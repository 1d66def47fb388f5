"""Tabulate and draw errors against the size of the model and the cost of dynamics."""

from diverse.errors.curves import model_sizes
from diverse.errors.draws import model_classes, read_table
from diverse.errors.levels import LEVEL_COLUMNS
from diverse.errors.untrained import errors_by_cost
from diverse.errors.views import parameters_of_models, read_scores
from diverse.report.plotting import size_panels
from diverse.report.speeds import costs_of, read_speeds
from diverse.study.job import begin, finish
from diverse.study.settings import model_descriptor

begin(snakemake)
study, families = snakemake.params.study, snakemake.params.families
models, levels = study["models"], read_table(snakemake.input.levels, LEVEL_COLUMNS)
parameters = parameters_of_models(read_scores(snakemake.input.scores))
sizes = model_sizes(
    levels[levels["train"].isin(snakemake.params.trains)],
    parameters,
    models,
    {
        name: model_descriptor(study, model).n_components
        for name, model in models.items()
        if model["family"] == "network"
    },
)
costs = costs_of(read_speeds(snakemake.input.speeds), models, parameters)
sizes["microseconds"] = sizes["model"].map(costs)
sizes.to_csv(snakemake.output.table, index=False, float_format="%.6g")
untrained = [errors_by_cost(read_table(path, ["model"])) for path in snakemake.input.references]
for x, path, points in (
    ("n_parameters", snakemake.output.parameters, []),
    ("nodes", snakemake.output.nodes, []),
    ("microseconds", snakemake.output.cost, untrained),
):
    size_panels(sizes, families, model_classes(models), x, *points).savefig(path)
finish(snakemake)
