"""Compare the data sets: map of environments, distances, energies, diversity."""

from diverse.descriptors import environment_descriptors
from diverse.diversity import summarise
from diverse.generate.entropy import Whitening
from diverse.kernel import BispectrumSettings
from diverse.plotting import dataset_comparison
from diverse.structures import read_cells
from diverse.tables import datasets_page

study = snakemake.params.study
settings = BispectrumSettings(study["optimiser"]["twojmax"], study["cutoff"])
cells = {name: [] for name in study["datasets"]}
for cell in read_cells(snakemake.input.cells):
    if cell.calc is not None:
        cells[cell.info["dataset"]].append(cell)
cells = {name: members for name, members in cells.items() if members}
families = {name: study["datasets"][name]["family"] for name in cells}
descriptors = {name: environment_descriptors(c, settings) for name, c in cells.items()}
summary = summarise(cells, Whitening.load(snakemake.input.whitening), settings)
summary.to_csv(snakemake.output.table, index=False)
with open(snakemake.output.page, "w") as page:
    page.write(datasets_page(summary))
dataset_comparison(cells, families, descriptors, summary).savefig(snakemake.output.figure)
