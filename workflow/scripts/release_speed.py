"""Put the rates of all benchmarks in one table of the release, and show them in the pages."""

from pathlib import Path

import pandas as pd

from diverse.report.benchmarks import show_benchmarks
from diverse.report.release import write_manifest
from diverse.report.version import read_version
from diverse.study.job import begin, finish

begin(snakemake)
root, released = Path(snakemake.params.root), Path(snakemake.params.released)
rates = pd.concat([pd.read_csv(path) for path in snakemake.input])
commit = read_version(root).commit or "unknown"
for path in (snakemake.output.table, released):
    rates.assign(commit=commit).to_csv(path, index=False)
show_benchmarks(root, released)
write_manifest(released.parents[1])
finish(snakemake)
