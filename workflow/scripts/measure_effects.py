"""Compare training sets over all draws: effects with intervals, and the claims they decide."""

import pandas as pd

from diverse.errors.claims import claims_table, with_holm
from diverse.errors.draws import model_classes, read_cells, read_errors, read_table
from diverse.errors.effects import measure_effects, reference_set
from diverse.errors.larger import size_effects
from diverse.errors.material import SIZES, Material
from diverse.errors.spread import measure_spreads
from diverse.errors.universal import universal_claims
from diverse.report.readings import with_readings
from diverse.study.job import begin, finish

begin(snakemake)
families, trains = snakemake.params.families, snakemake.params.trains
material = Material.of(
    read_errors(snakemake.input.errors),
    read_cells(snakemake.input.cells),
    read_table(snakemake.input.sizes, SIZES),
    classes=model_classes(snakemake.params.models),
    families=families,
)
reference = reference_set(trains, families)
effects, ratios = measure_effects(material, trains, reference)
spreads = measure_spreads(material, reference, [name for name in trains if name != reference])
moved = snakemake.input.dynamics
dynamics = read_table(moved, ["train", "slope", "origin"]) if moved else None
effects = with_holm(pd.concat([effects, spreads]), trains, families)
claims = claims_table(effects, trains, families, dynamics)
if snakemake.params.universal:
    table = read_table(snakemake.input.references, ["model", "test"])
    asked = universal_claims(table, snakemake.params.universal, reference)
    claims = pd.concat([claims, asked], ignore_index=True)
claims = with_readings(claims)
effects.to_csv(snakemake.output.effects, index=False)
claims.to_csv(snakemake.output.claims, index=False)
ratios.to_csv(snakemake.output.ratios, index=False)
sizes = size_effects(material, trains)
sizes.to_csv(snakemake.output.cell_sizes, index=False, float_format="%.6g")
finish(snakemake)
