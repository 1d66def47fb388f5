"""Potentials whose physics a study measures: its own, reference models, its labeller."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from diverse.physics.references import ReferencesError, read_references
from diverse.study.reading import ConfigError, demand
from diverse.study.settings import Config, named_file, own_models, reference_options

SEED = 0  # of the training whose potential is measured


def measured_potentials(study: Config) -> dict[str, dict[str, Any]]:
    """Return the potentials that `snakemake physics` measures, by name.

    Those of the block's models (by default `largest_of_each_kind`) on every training set, called
    as their folder under ``potentials/``; reference models that LAMMPS runs; the labeller of the
    study.

    Returns
    -------
    dict
        Of each the ``train`` and ``model`` it comes from, or its ``labeller`` block with the
        element; and ``atoms``, the largest cell it is asked for.
    """
    block, element = study["physics"], study["element"]
    datasets = study["datasets"].items()
    trains = [name for name, entry in datasets if entry["use"] == "train_and_test"]
    own = {
        f"{train}-{model}-{SEED}": {"train": train, "model": model, "atoms": block["atoms"]}
        for model in block["models"] or largest_of_each_kind(study)
        for train in trains
    }
    published = {
        name: {"labeller": options, "atoms": block["atoms"]}
        for name, options in reference_options(study).items()
        if options["kind"] == "lammps"
    }
    reference = {}
    if block["labeller_atoms"]:
        labeller = {"element": element, **study["labellers"][study["labeller"]]}
        reference = {study["labeller"]: {"labeller": labeller, "atoms": block["labeller_atoms"]}}
    return own | published | reference


def largest_of_each_kind(study: Config) -> list[str]:
    """Return the largest model of each family that LAMMPS runs, and of each type of network.

    The largest has the largest twojmax, or of POD the most radial functions; of several that are
    equally large the first counts.
    """
    largest: dict[tuple[str, str], str] = {}
    for name in own_models(study):
        model = study["models"][name]
        kind = model["family"], model.get("type", "")
        best = largest.get(kind)
        if best is None or _size(model) > _size(study["models"][best]):
            largest[kind] = name
    return list(largest.values())


def _size(model: dict[str, Any]) -> int:
    return int(model["twojmax"] if "twojmax" in model else sum(model["radial_functions"]))


def check_physics(study: Config, root: Path) -> None:
    """Refuse models and references that do not exist or cannot be read, and an empty range.

    Parameters
    ----------
    study : dict
    root : Path
        Of the repository, which the file of references is relative to.

    Raises
    ------
    ConfigError
        With one sentence.
    """
    block = study["physics"]
    unknown = [name for name in block["models"] if name not in own_models(study)]
    demand(
        not unknown,
        f"physics.models: there is no model '{', '.join(unknown)}'; "
        f"defined, and run by LAMMPS, are {', '.join(own_models(study))}",
    )
    low, high = block["melting"] or (1, 2)
    demand(
        low < high,
        f"physics.melting: {low:g} to {high:g} K is no range; give the lower temperature first",
    )
    if block["references"] is not None:
        try:
            read_references(named_file(block["references"], root))
        except ReferencesError as error:
            raise ConfigError(f"physics.references: {error}") from None
