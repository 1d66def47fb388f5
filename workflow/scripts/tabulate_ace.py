"""List the fits of ACE: where they were made, and what failed."""

from pathlib import Path

from diverse.errors.ace import fits_table, read_fits
from diverse.report.pages.ace import ace_page
from diverse.study.job import begin, finish

begin(snakemake)
params = snakemake.params
fits = read_fits(snakemake.input.fits)
table = fits_table(fits, params.models, params.trains, here=params.here)
table.to_csv(snakemake.output.table, index=False)
Path(snakemake.output.page).write_text(ace_page(table))
finish(snakemake)
