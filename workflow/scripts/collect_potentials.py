"""Collect the files of the potentials of one training set, each with its model card."""

import shutil
from pathlib import Path

import pandas as pd
import yaml

from diverse.errors.views import read_scores
from diverse.models.search import with_searched_weights
from diverse.report.cards import Cards
from diverse.report.example import example_facts
from diverse.report.model_card import TrainingSet, render_card
from diverse.report.speeds import read_speeds
from diverse.seals import seal
from diverse.structures import iterate_cells
from diverse.study.job import begin, finish
from diverse.study.settings import model_kind, reference_lattice

begin(snakemake)
params, files = snakemake.params, snakemake.input
searches = dict(zip(params.searched, files.searches, strict=True))
fits = dict(zip(params.fitted, files.fits, strict=True))
facts = example_facts(reference_lattice(params.study))
cards = Cards(
    template=files.template,
    study=params.study,
    schema=yaml.safe_load(Path(files.schema).read_text()),
    training=TrainingSet.of(iterate_cells([files.training])),
    origin=params.origin,
    families=params.families,
    scores=read_scores(*files.scores),
    speeds=read_speeds(files.speeds),
    example=render_card(files.example, element=params.study["element"], example=facts),
    facts=facts,
)
for (name, seed), path, output in zip(params.names, files.exports, snakemake.output, strict=True):
    model = with_searched_weights(params.models[name], searches.get(name))
    source, target, checks = Path(path).parent, Path(output).parent, pd.read_csv(path)
    fit = pd.read_csv(fits[name]).iloc[0].to_dict() if name in fits else None
    commands = source / "potential.lammps"
    card = cards.text(name, model, seed, commands.read_text(), checks, fit=fit)
    shutil.rmtree(target)
    target.mkdir()
    for file in [*params.files[model_kind(model)], commands.name]:
        shutil.copy(source / file, target)
    (target / "npt.lammps").write_text(cards.example)
    seal([target])
    Path(output).write_text(card)
finish(snakemake)
