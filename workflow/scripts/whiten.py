"""Fit the whitening of descriptor space on a sample of random cells."""

import numpy as np

from diverse.study.chunks import fit_whitening

whitening = fit_whitening(snakemake.params.study)
np.savez(snakemake.output.whitening, mean=whitening.mean, transform=whitening.transform)
