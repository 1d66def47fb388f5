"""Collect the files of the potentials of one training set, each with its model card."""

import shutil
from pathlib import Path

import pandas as pd
import yaml

from diverse.errors.views import read_scores
from diverse.models.search import with_searched_weights
from diverse.report.example import example_facts
from diverse.report.model_card import (
    TrainingSet,
    error_rows,
    render_card,
    settings_rows,
)
from diverse.report.speeds import read_speeds, speed_of
from diverse.seals import seal
from diverse.structures import iterate_cells
from diverse.study.job import begin, finish
from diverse.study.settings import model_kind, reference_lattice

begin(snakemake)
params, files = snakemake.params, snakemake.input
labeller = params.origin["labeller"]
schema = yaml.safe_load(Path(files.schema).read_text())
training = TrainingSet.of(iterate_cells([files.training]))
scores = read_scores(*files.scores)
searches = dict(zip(params.searched, files.searches, strict=True))
fits = dict(zip(params.fitted, files.fits, strict=True))
facts = example_facts(reference_lattice(params.study))
example = render_card(files.example, element=params.study["element"], example=facts)
speeds = read_speeds(files.speeds)
for (name, seed), path, output in zip(params.names, files.exports, snakemake.output, strict=True):
    model = with_searched_weights(params.models[name], searches.get(name))
    kind = model_kind(model)
    source, own, export = Path(path).parent, scores[scores["model"] == name], pd.read_csv(path)
    commands = source / "potential.lammps"
    card = render_card(
        files.template,
        **params.study,
        example=facts,
        input=example.strip(),
        speed=speed_of(speeds, model, own["n_parameters"].iloc[0]),
        seed=seed,
        n_seeds=model.get("seeds", 1),
        model=own.iloc[0].to_dict(),
        origin=params.origin,
        training=training,
        labeller=settings_rows(schema, labeller["kind"], labeller) if labeller else [],
        settings=settings_rows(schema, kind, model),
        fit=pd.read_csv(fits[name]).iloc[0].to_dict() if name in fits else None,
        tests=error_rows(own, str(seed), params.families),
        export={"cells": len(export), **export.max(numeric_only=True)},
        commands=commands.read_text().strip(),
    )
    target = Path(output).parent
    shutil.rmtree(target)
    target.mkdir()
    for file in [*params.files[kind], commands.name]:
        shutil.copy(source / file, target)
    (target / "npt.lammps").write_text(example)
    seal([target])
    Path(output).write_text(card)
finish(snakemake)
