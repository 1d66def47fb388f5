"""Compare training sets: errors over those of the reference set, on the same test cells."""

import pandas as pd

from diverse.errors.ratios import count_verdicts, error_ratios, reference_set
from diverse.errors.views import read_scores
from diverse.report.pages.errors import ratios_page
from diverse.report.plotting import ratio_dots
from diverse.study.job import begin, finish

begin(snakemake)
cells = pd.concat([read_scores(path) for path in snakemake.input.cells])
families, trains = snakemake.params.families, snakemake.params.trains
ratios = error_ratios(cells, trains, reference_set(trains, families))
verdicts = count_verdicts(ratios)
ratios.to_csv(snakemake.output.ratios, index=False)
verdicts.to_csv(snakemake.output.verdicts, index=False)
with open(snakemake.output.page, "w") as page:
    page.write(ratios_page(ratios, verdicts))
ratio_dots(ratios, families).savefig(snakemake.output.figure)
finish(snakemake)
