"""Collect the files of one potential with its model card."""

import shutil
from pathlib import Path

import pandas as pd
import yaml

from diverse.models.search import with_searched_weights
from diverse.report.model_card import TrainingSet, error_rows, render_card, settings_rows
from diverse.seals import seal
from diverse.structures import iterate_cells
from diverse.study.job import begin, finish

begin(snakemake)
params, files = snakemake.params, snakemake.input
model = with_searched_weights(params.model, files.search or None)
labeller, seed = params.origin["labeller"], snakemake.wildcards.seed
schema = yaml.safe_load(Path(files.schema).read_text())
scores, export = pd.read_csv(files.scores), pd.read_csv(files.export)
kind = "network" if model["family"] == "network" else "polynomial"
card = render_card(
    files.template,
    **params.study,
    seed=seed,
    n_seeds=model.get("seeds", 1),
    model=scores.iloc[0].to_dict(),
    origin=params.origin,
    training=TrainingSet.of(iterate_cells([files.training])),
    labeller=settings_rows(schema, labeller["kind"], labeller) if labeller else [],
    settings=settings_rows(schema, kind, model),
    fit=pd.read_csv(files.fit).iloc[0].to_dict() if files.fit else None,
    tests=error_rows(scores, seed, params.families),
    export={"cells": len(export), **export.max(numeric_only=True)},
    commands=Path(files.commands).read_text().strip(),
)
target = Path(snakemake.output.card).parent
shutil.rmtree(target)
target.mkdir()
for path in [*files.parameters, files.commands]:
    shutil.copy(path, target)
seal([target])
Path(snakemake.output.card).write_text(card)
finish(snakemake)
