"""Measure what the entropy term buys, against random cells and the curated data sets."""

from pathlib import Path

import numba

from diverse.diversity import quests_bandwidths
from diverse.diversity.ablation import ablate, summarise_ablation
from diverse.generate.entropy import Whitening
from diverse.structures import ReferenceLattice
from diverse.tables import ablation_page

study = snakemake.params.study
numba.set_num_threads(snakemake.threads)
lattice = ReferenceLattice(study["element"], **study["lattice"])
bandwidths = quests_bandwidths(study["diversity"]["bandwidths"], lattice.volume_per_atom)
files = {
    name: [path for path in snakemake.input.cells if Path(path).parent.name == name]
    for name in snakemake.params.others
}
whitening = Whitening.load(snakemake.input.whitening)
rows = ablate(study, files, whitening, bandwidths)
rows.to_csv(snakemake.output.rows, index=False, float_format="%.8g")
summary = summarise_ablation(rows)
summary.to_csv(snakemake.output.table, index=False, float_format="%.8g")
Path(snakemake.output.page).write_text(ablation_page(summary))
