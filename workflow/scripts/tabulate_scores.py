"""Arrange the scores as the transferability table, reference models at its end."""

import pandas as pd

from diverse.errors.views import read_scores, transferability
from diverse.report.pages.ace import origin_of_ace
from diverse.report.pages.errors import shifts_page, transferability_page
from diverse.report.pages.labels import noise_sentence
from diverse.study.job import begin, finish

begin(snakemake)
scores = read_scores(snakemake.input.scores)
untrained = [read_scores(path) for path in snakemake.input.references]
table = transferability(pd.concat([scores, *untrained]))
table.to_csv(snakemake.output.table, index=False)
notes = [noise_sentence(pd.read_csv(snakemake.input.noise))]
notes += [origin_of_ace(pd.read_csv(path)) for path in snakemake.input.ace]
with open(snakemake.output.page, "w") as page:
    page.write(transferability_page(table, "\n".join(notes)) + shifts_page(scores))
finish(snakemake)
