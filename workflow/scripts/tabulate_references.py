"""Compare reference models, which were not trained here, with the models of every training set."""

from pathlib import Path

from diverse.datasets.draws import PARTS, WHOLE, read_draws
from diverse.errors.answers import (
    COMPUTED,
    RELEASED,
    compare,
    fit_constants,
    named_answers,
    released_answers,
    write_answers,
)
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

answers, references = {}, []
computed = dict(zip(params.computed, files.computed, strict=True))
for name, options in params.options.items():
    if name in computed:
        answered = read_structures(computed[name])
        code = answered[0].info.get("packages", answered[0].info["code"])
        found = named_answers(compare(cells, answered), name, options, code)
    else:
        released = files.released or None
        found = released_answers(released, name, options, protocols)
    if found is not None:
        answers[name] = found
        references.append(
            Reference.of(
                name,
                COMPUTED if name in computed else RELEASED,
                answers=found,
                constants=fit_constants(found, protocols, training),
                protocols=protocols,
                cells=material.cells,
            )
        )
table = measure_references(material, params.trains, references)
table.to_csv(snakemake.output.table, index=False)
write_answers(snakemake.output.answers, list(answers.values()))
page = references_page(table, answers, params.trained_on)
Path(snakemake.output.page).write_text(page)
finish(snakemake)
