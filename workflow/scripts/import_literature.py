"""Import one published data set, with its labels and a table of problems."""

import sys
from pathlib import Path

from diverse.datasets.literature.fetch import SourceError, file_hash, locate, source_name
from diverse.datasets.literature.importer import import_records, without_labels
from diverse.datasets.literature.records import read_records
from diverse.datasets.literature.summary import summarise_groups, summarise_import
from diverse.report.pages.imports import import_page
from diverse.structures import write_cells
from diverse.study.job import begin, finish

begin(snakemake)
name, options = snakemake.wildcards.dataset, snakemake.params.dataset
with open(snakemake.log[0], "w") as log:
    try:
        path = locate(options["source"], options.get("sha256"), Path(snakemake.params.cache))
        cells, problems = import_records(
            read_records(path, options["keys"], source_name(options["source"])),
            dataset=name,
            element=snakemake.params.element,
            protocol=f"literature-{file_hash(path)[:16]}",
            block=options["block"],
            reach=snakemake.params.reach,
            nearest=snakemake.params.nearest,
            labels=options["labels"] == "keep",
        )
    except (SourceError, ValueError) as error:
        print(error, file=log)
        sys.exit(f"{error} (datasets.{name})")
    summary, groups = summarise_import(cells, problems, name), summarise_groups(cells)
    for output in (log, sys.stderr):
        print(summary, file=output)
relabel = options["labels"] == "relabel"
write_cells(snakemake.output.cells, without_labels(cells) if relabel else cells)
problems.to_csv(snakemake.output.problems, index=False)
groups.to_csv(snakemake.output.groups, index=False)
Path(snakemake.output.page).write_text(import_page(summary, groups, problems), encoding="utf-8")
finish(snakemake)
