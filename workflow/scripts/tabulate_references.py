"""Compare reference models, which were not trained here, with the models of every training set."""

from pathlib import Path

from diverse.datasets.draws import PARTS, TEST, WHOLE, read_draws
from diverse.errors.answers import fit_constants, gather_answers, write_answers
from diverse.errors.draws import model_classes, read_cells, read_errors, read_table
from diverse.errors.material import SIZES, Material
from diverse.errors.references import Reference, measure_references
from diverse.errors.untrained import score_references
from diverse.report.pages.references import references_page
from diverse.report.speeds import reference_costs
from diverse.structures import labelled_by_dataset
from diverse.structures import read_cells as read_structures
from diverse.study.job import begin, finish

begin(snakemake)
files, params = snakemake.input, snakemake.params
labelled = labelled_by_dataset(files.labels, params.tests)
cells = [cell for members in labelled.values() for cell in members]
protocols = {cell.info["key"]: cell.info["protocol"] for cell in cells}
draws = {test: read_draws(path) for test, path in zip(params.tests, files.draws, strict=True)}
training = [
    key for table in draws.values() for key in table["key"][table["draw0"].isin(PARTS[WHOLE])]
]
held_out = {test: set(table["key"][table["draw0"] == TEST]) for test, table in draws.items()}
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
costs = reference_costs(files.speeds or None, params.options)
table = table.assign(microseconds=table["model"].map(costs))
table.to_csv(snakemake.output.table, index=False)
score_references(material.cells, references, held_out).to_csv(snakemake.output.scores, index=False)
write_answers(snakemake.output.answers, list(answers.values()))
page = references_page(table, answers, params.trained_on)
Path(snakemake.output.page).write_text(page)
finish(snakemake)
