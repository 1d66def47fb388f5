"""Average logarithms of errors over groups of test cells: every training set, model and draw."""

from diverse.errors.draws import model_classes, read_cells, read_errors, read_table
from diverse.errors.levels import errors_by_set, find_grounds, ground_levels, grounds_table
from diverse.errors.material import SIZES, Ground, Material
from diverse.errors.theta import DECISIVE
from diverse.study.job import begin, finish

begin(snakemake)
errors = read_errors(snakemake.input.errors)
material = Material.of(
    errors[errors["train"].isin(snakemake.params.trains)],
    read_cells(snakemake.input.cells),
    read_table(snakemake.input.sizes, SIZES),
    classes=model_classes(snakemake.params.models),
    families=snakemake.params.families,
)
grounds = find_grounds(Ground.of(material, quantity) for quantity in DECISIVE)
by_set = errors_by_set(errors, material.cells, list(material.classes))
beside = snakemake.params.beside
levels = ground_levels(by_set, material.cells, material.classes, grounds, beside)
levels.to_csv(snakemake.output.levels, index=False, float_format="%.8g")
grounds_table(grounds).to_csv(snakemake.output.grounds, index=False)
finish(snakemake)
