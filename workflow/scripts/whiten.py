"""Fit the whitening of descriptor space on a sample of random cells."""

import numpy as np

from diverse.study.chunks import fit_whitening
from diverse.study.job import begin, finish

begin(snakemake)
whitening = fit_whitening(snakemake.params.study)
np.savez(snakemake.output.whitening, mean=whitening.mean, transform=whitening.transform)
finish(snakemake)
