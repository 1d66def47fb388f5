"""Make one chunk of an entropy-maximised or random data set."""

import numpy as np
import pandas as pd

from diverse.generate.chunk import sampled_chunk
from diverse.generate.entropy import Whitening
from diverse.structures import write_cells

whitening = Whitening(**np.load(snakemake.input.whitening))
name, chunk = snakemake.wildcards.dataset, int(snakemake.wildcards.chunk)
cells, outcome = sampled_chunk(
    snakemake.params.study, name, snakemake.params.dataset, chunk, whitening
)
write_cells(snakemake.output.cells, cells)
rows = [{"dataset": name, "chunk": chunk, "outcome": key, "cells": n} for key, n in outcome.items()]
pd.DataFrame(rows).to_csv(snakemake.output.outcome, index=False)
