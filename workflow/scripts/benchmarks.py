"""Put the rates of all benchmarks in one table of the release, and show them in the pages."""

from pathlib import Path

import pandas as pd

from diverse.report.benchmarks import show_benchmarks
from diverse.report.release import write_manifest
from diverse.report.version import read_version
from diverse.study.job import begin, finish

begin(snakemake)
root, table = Path(snakemake.params.root), Path(snakemake.params.table)
rates = pd.concat([pd.read_csv(path) for path in snakemake.input])
rates.assign(commit=read_version(root).commit).to_csv(table, index=False)
show_benchmarks(root, table)
write_manifest(table.parents[1])
finish(snakemake)
