"""Draw and tabulate every candidate of every search of loss weights."""

import pandas as pd

from diverse.report.pages.models import search_page
from diverse.report.plotting import search_curves
from diverse.study.job import begin, finish

begin(snakemake)
names = [tuple(name) for name in snakemake.params.models]
searches = {
    name: pd.read_csv(path) for name, path in zip(names, snakemake.input.searches, strict=True)
}
table = pd.concat(searches, names=["train", "model"]).reset_index(level=[0, 1])
table.to_csv(snakemake.output.table, index=False)
with open(snakemake.output.page, "w") as page:
    page.write(search_page(table))
search_curves(searches, snakemake.params.families).savefig(snakemake.output.figure)
finish(snakemake)
