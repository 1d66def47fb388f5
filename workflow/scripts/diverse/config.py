"""Study files: defaults from the schema, and one clear sentence for what is wrong."""

from __future__ import annotations

import copy
import difflib
from collections.abc import Iterator
from typing import Any

import yaml
from ase.data import atomic_numbers
from jsonschema import Draft202012Validator
from jsonschema.exceptions import ValidationError, best_match
from jsonschema.validators import extend

from diverse.labellers import LabellerError, make_labeller

Config = dict[str, Any]


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
    _check_consistency(study)
    _check_labellers(study)
    return study


def labeller_options(study: Config, dataset: str) -> Config:
    """Return the labeller block that `dataset` is labelled with."""
    name = study["datasets"][dataset].get("labeller", study["labeller"])
    options: Config = study["labellers"][name]
    return options


def _check_consistency(study: Config) -> None:
    def demand(condition: bool, message: str) -> None:
        if not condition:
            raise ConfigError(message)

    for key in ("atoms", "volume", "angles", "core"):
        low, high = study["sampler"][key]
        demand(low <= high, f"sampler.{key}: the range [{low}, {high}] is empty; swap its ends")
    zbl = study["zbl"]
    demand(
        zbl["inner"] < zbl["outer"],
        f"zbl: inner ({zbl['inner']}) must be smaller than outer ({zbl['outer']})",
    )
    for name, dataset in study["datasets"].items():
        cells, chunks = dataset.get("cells"), dataset["chunks"]
        if cells is not None:
            demand(
                chunks <= cells,
                f"datasets.{name}.chunks: {chunks} chunks for {cells} cells are too many",
            )
        labeller = dataset.get("labeller", study["labeller"])
        demand(
            labeller in study["labellers"],
            f"datasets.{name}: there is no labeller '{labeller}' under labellers; "
            f"defined are {', '.join(study['labellers'])}",
        )
        source = str(dataset.get("source", ""))
        demand(
            "://" not in source or "sha256" in dataset,
            f"datasets.{name}: source is a URL, so sha256 must be given beside it",
        )
    demand(study["element"] in atomic_numbers, f"element: there is no element '{study['element']}'")
    trains = [d["use"] == "train_and_test" for d in study["datasets"].values()]
    demand(any(trains), "datasets: none has use: train_and_test, so no model can be trained")


def _check_labellers(study: Config) -> None:
    for name in study["datasets"]:
        options = labeller_options(study, name)
        try:
            make_labeller(options).check(study["element"])
        except LabellerError as error:
            raise ConfigError(f"datasets.{name}: {error}") from error


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
