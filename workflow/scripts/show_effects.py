"""Show the claims, and the effects and ratios they rest on, as pages and as a figure."""

from pathlib import Path

import pandas as pd

from diverse.errors.draws import read_table
from diverse.errors.effects import PAIR
from diverse.report.pages.effects import claims_page, ratios_page
from diverse.report.plotting import ratio_dots
from diverse.study.job import begin, finish

begin(snakemake)
effects = read_table(snakemake.input.effects, PAIR)
ratios = read_table(snakemake.input.ratios, [*PAIR, "model"])
claims = pd.read_csv(snakemake.input.claims, keep_default_na=False)
Path(snakemake.output.claims).write_text(claims_page(claims))
Path(snakemake.output.ratios).write_text(ratios_page(effects, ratios))
ratio_dots(effects, ratios, snakemake.params.families).savefig(snakemake.output.figure)
finish(snakemake)
