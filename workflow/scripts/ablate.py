"""Measure what the entropy term buys, against random cells and the curated data sets."""

import logging
from collections import defaultdict
from pathlib import Path

from diverse.descriptors.whitening import Whitening
from diverse.diversity import quests_threads
from diverse.report.pages.datasets import ablation_page
from diverse.study.ablation import ablate, missing_arms, summarise_ablation
from diverse.study.job import begin, finish
from diverse.study.settings import kernel_bandwidths

begin(snakemake)
logging.basicConfig(filename=snakemake.log[0], filemode="a", format="%(message)s")
study = snakemake.params.study
quests_threads(snakemake.threads)
bandwidths = kernel_bandwidths(study, study["diversity"]["bandwidths"])
files = defaultdict(list)
for name, path in zip(snakemake.params.others, snakemake.input.cells, strict=True):
    files[name].append(path)
whitening = Whitening.load(snakemake.input.whitening)
rows = ablate(study, files, whitening, bandwidths)
rows.to_csv(snakemake.output.rows, index=False, float_format="%.8g")
summary = summarise_ablation(rows)
summary.to_csv(snakemake.output.table, index=False, float_format="%.8g")
Path(snakemake.output.page).write_text(ablation_page(summary, missing_arms(summary)))
finish(snakemake)
