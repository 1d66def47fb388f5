"""Show the claims, and the effects and ratios they rest on, as pages and as a figure."""

from pathlib import Path

import pandas as pd

from diverse.errors.draws import read_table
from diverse.errors.effects import PAIR
from diverse.errors.larger import KEYS
from diverse.errors.untrained import neighbours_of_ratios
from diverse.report.pages.effects import cell_sizes_page, claims_page, ratios_page
from diverse.report.plotting import ratio_dots
from diverse.study.job import begin, finish

begin(snakemake)
effects = read_table(snakemake.input.effects, PAIR)
ratios = read_table(snakemake.input.ratios, [*PAIR, "model"])
claims = pd.read_csv(snakemake.input.claims, keep_default_na=False)
Path(snakemake.output.claims).write_text(claims_page(claims))
Path(snakemake.output.ratios).write_text(ratios_page(effects, ratios))
sizes = read_table(snakemake.input.cell_sizes, KEYS)
Path(snakemake.output.cell_sizes).write_text(cell_sizes_page(sizes))
drawn = [effects]
for path in snakemake.input.references:
    table = read_table(path, ["model", "test"])
    drawn += [neighbours_of_ratios(table, name) for name in ratios["reference"].unique()]
figure = ratio_dots(pd.concat(drawn), ratios, snakemake.params.families)
figure.savefig(snakemake.output.figure)
finish(snakemake)
