"""Cards of the potentials of one training set, from what a study keeps of each."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from diverse.report.model_card import TrainingSet, error_rows, render_card, settings_rows
from diverse.report.speeds import speed_of
from diverse.study.settings import model_kind


@dataclass(frozen=True)
class Cards:
    """Everything that the cards of one training set's potentials share.

    Attributes
    ----------
    template : str or Path
        Template of a card.
    study : mapping
        ``element``, ``lattice``, ``cutoff`` and ``zbl`` of the study.
    schema : mapping
        ``study.schema.yaml``, which says what every setting means.
    training : TrainingSet
    origin : mapping
        How the training set was made and labelled: the entry of the study, and its ``labeller``.
    families : mapping
        Family of each data set.
    scores : DataFrame
        Rows of ``scores.csv`` of the training set.
    speeds : DataFrame
        Of `diverse.report.speeds.read_speeds`.
    example, facts : str, mapping
        LAMMPS input that runs a potential, and what of it the card explains.
    """

    template: str | Path
    study: Mapping[str, Any]
    schema: Mapping[str, Any]
    training: TrainingSet
    origin: Mapping[str, Any]
    families: Mapping[str, str]
    scores: pd.DataFrame
    speeds: pd.DataFrame
    example: str
    facts: Mapping[str, Any]

    def text(
        self,
        name: str,
        model: dict[str, Any],
        seed: int,
        commands: str,
        checks: pd.DataFrame,
        *,
        fit: Mapping[str, Any] | None,
    ) -> str:
        """Return the card of one potential.

        Parameters
        ----------
        name, model, seed : str, dict, int
            The model's name in the study, its entry with the weights that it was trained with, and
            which of its seeds.
        commands : str
            Lines of LAMMPS that load the potential.
        checks : DataFrame
            ``export.csv``: largest differences of the exported potential, a row a test cell.
        fit : mapping or None
            Row of ``fit.csv``; networks have none.
        """
        own, labeller = self.scores[self.scores["model"] == name], self.origin["labeller"]
        return render_card(
            self.template,
            **self.study,
            example=self.facts,
            input=self.example.strip(),
            speed=speed_of(self.speeds, model, own["n_parameters"].iloc[0]),
            seed=seed,
            n_seeds=model.get("seeds", 1),
            model=own.iloc[0].to_dict(),
            origin=self.origin,
            training=self.training,
            labeller=settings_rows(self.schema, labeller["kind"], labeller) if labeller else [],
            settings=settings_rows(self.schema, model_kind(model), model),
            fit=fit,
            tests=error_rows(own, str(seed), self.families),
            export={"cells": len(checks), **checks.max(numeric_only=True)},
            commands=commands.strip(),
        )
