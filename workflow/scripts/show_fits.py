"""Draw the regularisation paths of the polynomial fits and tabulate what they rest on."""

import pandas as pd

from diverse.report.pages.models import fits_page
from diverse.report.plotting import ridge_paths
from diverse.study.job import begin, finish

begin(snakemake)
names = [(train, model) for train, model, _ in snakemake.params.models]
paths = dict(zip(names, map(pd.read_csv, snakemake.input.paths), strict=True))
rows = [
    pd.read_csv(path).assign(train=train, model=model)
    for (train, model), path in zip(names, snakemake.input.summaries, strict=True)
]
ridge_paths(paths, snakemake.params.families).savefig(snakemake.output.figure)
table = pd.concat(rows)
table.insert(0, "model", table.pop("model"))
table.insert(0, "train", table.pop("train"))
table.to_csv(snakemake.output.table, index=False)
with open(snakemake.output.page, "w") as page:
    page.write(fits_page(table))
finish(snakemake)
