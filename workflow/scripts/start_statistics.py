"""Describe what a data set complements."""

import sys
from pathlib import Path

from diverse.datasets.literature.complement import complement_cells
from diverse.datasets.literature.fetch import SourceError
from diverse.descriptors.whitening import Whitening
from diverse.structures import read_cells
from diverse.study.chunks import cell_statistics
from diverse.study.job import begin, finish

begin(snakemake)
study, files = snakemake.params.study, snakemake.input.get("cells") or []
files = [files] if isinstance(files, str) else files
own = Path(snakemake.output.statistics).parents[2]  # structures of this study's data sets
try:
    if all(own in Path(file).parents for file in files):
        cells = read_cells(files)
    else:
        cells = complement_cells(Path(files[0]), study["element"])
except (SourceError, ValueError) as error:
    Path(snakemake.log[0]).write_text(f"{error}\n", encoding="utf-8")
    sys.exit(f"{error} (datasets.{snakemake.wildcards.dataset}.complement)")
whitening = Whitening.load(snakemake.input.whitening)
statistics = cell_statistics(cells, study=study, whitening=whitening)
statistics.save(snakemake.output.statistics)
finish(snakemake)
