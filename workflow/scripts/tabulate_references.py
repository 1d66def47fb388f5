"""Compare reference models, which were not trained here, with the models of every training set."""

from pathlib import Path

from diverse.datasets.draws import PARTS, WHOLE, read_draws
from diverse.errors.answers import fit_constants, gather_answers, write_answers
from diverse.errors.draws import model_classes, read_cells, read_errors, read_table
from diverse.errors.material import SIZES, Material
from diverse.errors.references import Reference, measure_references
from diverse.report.pages.references import references_page
from diverse.structures import labelled_by_dataset
from diverse.structures import read_cells as read_structures
from diverse.study.job import begin, finish

begin(snakemake)
files, params = snakemake.input, snakemake.params
labelled = labelled_by_dataset(files.labels, params.tests)
cells = [cell for members in labelled.values() for cell in members]
protocols = {cell.info["key"]: cell.info["protocol"] for cell in cells}
tables = [read_draws(path) for path in files.draws]
training = [key for table in tables for key in table["key"][table["draw0"].isin(PARTS[WHOLE])]]
material = Material.of(
    read_errors(files.errors),
    read_cells(files.cells),
    read_table(files.sizes, SIZES),
    classes=model_classes(params.models),
    families=params.families,
)

asked = {
    name: read_structures(path) for name, path in zip(params.computed, files.computed, strict=True)
}
answers = gather_answers(cells, params.options, asked, files.released or None)
references = [
    Reference.of(
        name,
        "computed" if name in asked else "released",
        answers=found,
        constants=fit_constants(found, protocols, training),
        protocols=protocols,
        cells=material.cells,
    )
    for name, found in answers.items()
]
table = measure_references(material, params.trains, references)
table.to_csv(snakemake.output.table, index=False)
write_answers(snakemake.output.answers, list(answers.values()))
page = references_page(table, answers, params.trained_on)
Path(snakemake.output.page).write_text(page)
finish(snakemake)
