"""Study files: defaults from the schema, and one clear sentence for what is wrong."""

from __future__ import annotations

import copy
import difflib
import logging
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml
from ase.data import atomic_numbers
from jsonschema import Draft202012Validator
from jsonschema.exceptions import ValidationError, best_match
from jsonschema.validators import extend

from diverse.datasets.literature.fetch import absence
from diverse.generate.expert import check_groups
from diverse.generate.random_cells import check_packing
from diverse.labels.labellers import LabellerError, make_labeller
from diverse.study.settings import (
    Config,
    labeller_options,
    reference_lattice,
    sampler_settings,
    variant_options,
)
from diverse.study.subsets import complete_subsets

logger = logging.getLogger(__name__)


class ConfigError(ValueError):
    """The study file is wrong; the message names the key and what to do."""


def load_study(config: Config, schema_path: str) -> Config:
    """Return the study with every default filled in.

    Parameters
    ----------
    config : dict
        The study file as read.
    schema_path : str
        Path of ``study.schema.yaml``.

    Raises
    ------
    ConfigError
        For an unknown key, a wrong type, a value that is impossible alone or together with
        others, a labeller that does not exist or cannot label the element.
    """
    with open(schema_path) as file:
        schema = yaml.safe_load(file)
    study = copy.deepcopy(config)
    study.pop("pathvars", None)
    error = best_match(_DefaultingValidator(schema).iter_errors(study), key=_relevance)
    if error is not None:
        raise ConfigError(_sentence(error))
    _drop_absent(study)
    _check_consistency(study)
    try:
        complete_subsets(study)
    except ValueError as error:
        raise ConfigError(str(error)) from None
    _check_generation(study)
    _check_labellers(study)
    _check_convergence(study)
    return study


def _demand(condition: bool, message: str) -> None:
    if not condition:
        raise ConfigError(message)


def _drop_absent(study: Config) -> None:
    """Leave out optional published sets that are not at hand, and say so; the report does too."""
    cache = Path("results", study["study"], "downloads")
    for name, dataset in list(study["datasets"].items()):
        if dataset["family"] == "literature":
            reason = absence(dataset["source"], dataset.get("sha256"), cache)
            if reason:
                _demand(
                    dataset["optional"],
                    f"datasets.{name}: {reason}; correct source, or say optional: true and the "
                    "study goes on without it",
                )
                logger.warning("The study goes on without its data set %s: %s", name, reason)
                study["left_out"][name] = reason
                del study["datasets"][name]
                subsets = study["subsets"].items()
                study["subsets"] = {key: entry for key, entry in subsets if entry["of"] != name}


def _check_consistency(study: Config) -> None:
    for key in ("atoms", "volume", "angles", "core"):
        low, high = study["sampler"][key]
        _demand(low <= high, f"sampler.{key}: the range [{low}, {high}] is empty; swap its ends")
    zbl = study["zbl"]
    _demand(
        zbl["inner"] < zbl["outer"],
        f"zbl: inner ({zbl['inner']}) must be smaller than outer ({zbl['outer']})",
    )
    for name, dataset in study["datasets"].items():
        cells, chunks = dataset.get("cells"), dataset["chunks"]
        if cells is not None:
            _demand(
                chunks <= cells,
                f"datasets.{name}.chunks: {chunks} chunks for {cells} cells are too many",
            )
        labeller = dataset.get("labeller", study["labeller"])
        _demand(
            labeller in study["labellers"],
            f"datasets.{name}: there is no labeller '{labeller}' under labellers; "
            f"defined are {', '.join(study['labellers'])}",
        )
        source = str(dataset.get("source", ""))
        _demand(
            "://" not in source or "sha256" in dataset,
            f"datasets.{name}: source is a URL, so sha256 must be given beside it",
        )
    _demand(
        study["element"] in atomic_numbers, f"element: there is no element '{study['element']}'"
    )
    trains = [d["use"] == "train_and_test" for d in study["datasets"].values()]
    _demand(any(trains), "datasets: none has use: train_and_test, so no model can be trained")
    for name, model in study["models"].items():
        if model.get("solver") == "fitsnap":
            _demand(
                "auto" not in (model["ridge"], model["energy_weight"])
                and model["energy_scale"] is None,
                f"models.{name}: solver fitsnap needs a number as ridge and as energy_weight, and "
                "has no energy_scale; change them, or take solver streaming",
            )


def _check_generation(study: Config) -> None:
    """Refuse floors, sizes and complements that no cell could come from."""
    nearest = reference_lattice(study).nearest_neighbour
    _demand(
        study["cutoff"] > 1.2 * nearest,
        f"cutoff: {study['cutoff']} Å holds hardly a neighbour of the reference lattice (nearest "
        f"at {nearest:.2f} Å); take about {1.73 * nearest:.1f} Å",
    )
    try:
        check_packing(sampler_settings(study), reference_lattice(study))
    except ValueError as error:
        raise ConfigError(f"sampler: {error}") from None
    for name, dataset in study["datasets"].items():
        if dataset["family"] == "entropy":
            _check_entropy(study, name, dataset)
        if dataset["family"] == "expert":
            _check_groups(study, name, dataset)


def _check_groups(study: Config, name: str, dataset: Config) -> None:
    """Refuse groups that the reference lattice has not, and unknown pair styles."""
    try:
        check_groups(dataset["groups"], study["lattice"]["structure"])
        for options in dataset["groups"].values():
            if "pair_style" in options:
                potential = {key: options[key] for key in ("pair_style", "pair_coeff")}
                labeller = {"kind": "lammps", "element": study["element"], **potential}
                _ = make_labeller(labeller).provenance
    except (ValueError, LabellerError) as error:
        raise ConfigError(f"datasets.{name}: {error}") from None


def _check_entropy(study: Config, name: str, dataset: Config) -> None:
    where, rounds, complement = f"datasets.{name}", dataset["rounds"], dataset["complement"]
    smallest = study["sampler"]["atoms"][0]
    _demand(
        rounds <= dataset["chunks"],
        f"{where}.rounds: {rounds} rounds for {dataset['chunks']} chunks are too many",
    )
    if dataset["estimator"] == "cell":
        _demand(
            smallest >= 3,
            f"{where}.estimator: cell needs at least 3 atoms in every cell, sampler.atoms starts "
            f"at {smallest}: atoms of smaller cells are equivalent; raise it, or take set",
        )
        _demand(rounds == 1, f"{where}.rounds: only estimator set has rounds")
        _demand(complement is None, f"{where}.complement: only estimator set can complement")
    if complement is None:
        return
    _demand(
        complement in study["datasets"] or Path(complement).is_file(),
        f"{where}.complement: '{complement}' is neither a data set of this study nor a file",
    )
    seen = [name]
    while complement in study["datasets"]:
        _demand(
            complement not in seen,
            f"{where}.complement: {' -> '.join([*seen, complement])} goes round in a circle",
        )
        seen.append(complement)
        complement = study["datasets"][complement].get("complement")


def _check_labellers(study: Config) -> None:
    for name in study["datasets"]:
        options = labeller_options(study, name)
        try:
            _ = make_labeller(options).provenance
        except LabellerError as error:
            raise ConfigError(f"datasets.{name}: {error}") from error


def _check_convergence(study: Config) -> None:
    """Refuse variants of labellers, and references, that do not exist or cannot work."""
    block = study.get("convergence", {"variants": {}})
    for name, variant in block["variants"].items():
        where, against = f"convergence.variants.{name}", variant["against"]
        labeller = variant.get("labeller", block["labeller"])
        _demand(
            labeller in study["labellers"],
            f"{where}: there is no labeller '{labeller}' under labellers",
        )
        unknown = [other for other in against if other not in block["variants"]]
        _demand(not unknown, f"{where}.against: there is no variant '{', '.join(unknown)}'")
        _demand(len(against) in (0, 1, 3), f"{where}.against: takes one variant, or three")
    for name, options in variant_options(study).items():
        try:
            make_labeller(options)
        except TypeError as error:
            raise ConfigError(f"convergence.variants.{name}.settings: {error}") from error


def _sentence(error: ValidationError) -> str:
    where = ".".join(str(part) for part in error.absolute_path) or "study file"
    if error.validator == "additionalProperties":
        known = sorted(error.schema.get("properties", {}))
        unknown = sorted(set(error.instance) - set(known))
        close = difflib.get_close_matches(unknown[0], known, n=1)
        hint = f"did you mean '{close[0]}'?" if close else f"known are {', '.join(known)}"
        return f"{where}: unknown key '{unknown[0]}'; {hint}"
    if error.validator == "required":
        missing = sorted(set(error.validator_value) - set(error.instance))
        return f"{where}: the key '{missing[0]}' is missing"
    return f"{where}: {error.message}"


def _relevance(error: ValidationError) -> tuple[bool, int]:
    """Show an unknown key before what follows from it, then the error highest up."""
    return error.validator == "additionalProperties", -len(error.absolute_path)


def _with_defaults(
    validator: Any, properties: Config, instance: Any, schema: Config
) -> Iterator[ValidationError]:
    """Fill in missing keys, then validate as usual."""
    if isinstance(instance, dict):
        for key, subschema in properties.items():
            if "default" in subschema:
                instance.setdefault(key, copy.deepcopy(subschema["default"]))
    yield from Draft202012Validator.VALIDATORS["properties"](
        validator, properties, instance, schema
    )


_DefaultingValidator = extend(Draft202012Validator, {"properties": _with_defaults})
