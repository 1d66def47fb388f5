"""Count what every chunk of random and entropy cells made and took."""

from pathlib import Path

import pandas as pd

from diverse.generate.summary import chunk_row, summarise_chunks
from diverse.study.job import begin, finish

begin(snakemake)
rows = [
    chunk_row(dataset, chunk, Path(cells), Path(benchmark))
    for (dataset, chunk), cells, benchmark in zip(
        snakemake.params.chunks, snakemake.input.cells, snakemake.input.benchmarks, strict=True
    )
]
pd.DataFrame(rows).to_csv(snakemake.output.chunks, index=False, float_format="%.8g")
summarise_chunks(rows).to_csv(snakemake.output.table, index=False, float_format="%.8g")
finish(snakemake)
