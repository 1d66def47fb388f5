"""Write the data card of the labels."""

from pathlib import Path

import pandas as pd
import yaml

from diverse.report.data_card import Tables, data_card
from diverse.report.pages.datasets import read_diversity
from diverse.study.job import begin, finish

begin(snakemake)
given = snakemake.input
card = data_card(
    Path(given.template).read_text(),
    dict(zip(snakemake.params.datasets, map(Path, given.labels), strict=True)),
    yaml.safe_load(Path(given.config).read_text()),
    yaml.safe_load(Path(given.schema).read_text()),
    Tables(
        pd.read_csv(given.noise),
        pd.read_csv(given.errors) if given.errors else None,
        read_diversity(given.diversity),
        pd.read_csv(given.curves) if given.curves else None,
    ),
)
Path(snakemake.output.card).write_text(card)
finish(snakemake)
