"""Import one chunk of a published data set, with its labels and a table of problems."""

from pathlib import Path

from diverse.datasets.literature.fetch import file_hash, locate
from diverse.datasets.literature.importer import import_records, summarise_groups, without_labels
from diverse.datasets.literature.records import read_records
from diverse.structures import write_cells

name, options = snakemake.wildcards.dataset, snakemake.params.dataset
path = locate(options["source"], options.get("sha256"), Path(snakemake.params.cache))
cells, problems = import_records(
    read_records(path),
    dataset=name,
    element=snakemake.params.element,
    protocol=f"literature-{file_hash(path)[:16]}",
    block=options["block"],
)
relabel = options["labels"] == "relabel"
write_cells(snakemake.output.cells, without_labels(cells) if relabel else cells)
problems.to_csv(snakemake.output.problems, index=False)
summarise_groups(cells).to_csv(snakemake.output.groups, index=False)
