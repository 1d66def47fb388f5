"""Compare the labels of the data sets: sizes, energies, forces, cost."""

from diverse.plotting import energy_landscape
from diverse.structures import read_cells
from diverse.tables import datasets_page, summarise

families = snakemake.params.families
cells = {name: [] for name in families}
for cell in read_cells(snakemake.input.cells):
    if cell.calc is not None:
        cells[cell.info["dataset"]].append(cell)
cells = {name: members for name, members in cells.items() if members}
summary = summarise(cells)
summary.to_csv(snakemake.output.table, index=False)
with open(snakemake.output.page, "w") as page:
    page.write(datasets_page(summary))
energy_landscape(cells, families).savefig(snakemake.output.figure)
