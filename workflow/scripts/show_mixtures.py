"""Tabulate and draw what cells that are added to a training set, or replace some of it, change."""

from diverse.errors.draws import read_table
from diverse.errors.levels import LEVEL_COLUMNS
from diverse.errors.mixtures import base_set, baseline_gains, mixture_gains
from diverse.report.pages.mixtures import baselines_page
from diverse.report.plotting import mixture_panels
from diverse.study.job import begin, finish

begin(snakemake)
families, trains = snakemake.params.families, snakemake.params.trains
levels = read_table(snakemake.input.levels, LEVEL_COLUMNS)
sizes = read_table(snakemake.input.sizes, ["train", "source", "environments", "core_hours"])
whole = {train: families[train] for train in trains if train in families}
base = snakemake.params.base or base_set(whole)
mixtures = mixture_gains(levels, sizes, base)
baselines = baseline_gains(levels, sizes, trains, base)
mixtures.to_csv(snakemake.output.table, index=False, float_format="%.6g")
baselines.to_csv(snakemake.output.baselines, index=False, float_format="%.6g")
with open(snakemake.output.page, "w") as page:
    page.write(baselines_page(baselines))
mixture_panels(mixtures, families).savefig(snakemake.output.figure)
finish(snakemake)
