"""Subsets and mixtures of a study's training sets: those it names, and those its blocks ask for.

A subset takes cells from one data set or from several (key ``of``): from each as many
environments as a mapping says, or from all of them together as many as ``environments`` says.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from diverse.study.settings import own_models

Config = dict[str, Any]
Part = tuple[list[str], int | None]  # data sets taken from together, environments (None: all)


def subset_parts(subset: Config) -> list[Part]:
    """Return the parts of a subset: data sets, and the environments taken from them together."""
    of = subset["of"]
    if isinstance(of, dict):
        return [([name], environments) for name, environments in of.items()]
    return [([of] if isinstance(of, str) else list(of), subset["environments"])]


def subset_sources(subset: Config) -> list[str]:
    """Return the data sets that a subset takes cells from."""
    return [name for names, _ in subset_parts(subset) for name in names]


def complete_subsets(study: Config) -> None:
    """Add to `study` the subsets that its blocks ask for, and fill in which models are trained.

    The subset of data set ``entropy`` with at most 200 environments is named ``entropy200``; of
    mixtures, ``expert_entropy25`` has a quarter of its environments from ``entropy`` at the size of
    ``expert``, ``expert_plus_entropy200`` has 200 beside all of ``expert``; ``expert_weight3`` is
    ``expert`` trained on with energy weight 3.

    Raises
    ------
    ValueError
        If a subset is of no training set, or has a taken name or an unknown model; if a learning
        curve is asked for at the size of the whole sets, or mixtures of neither shares nor numbers
        of environments.
    """
    blocks = {
        "learning_curve": _learning_curve,
        "mixtures": _mixtures,
        "weight_sensitivity": _weight_sensitivity,
    }
    for block, subsets in blocks.items():
        if block in study:
            _check_models(study, block)
        for name, subset in subsets(study) if block in study else ():
            if name in study["datasets"]:
                raise ValueError(f"{block}: its subset {name} is called as a data set; rename that")
            if study["subsets"].setdefault(name, subset) != subset:
                raise ValueError(f"{block}: subsets has another {name}; rename it")
    for name, subset in study["subsets"].items():
        _check(study, name, subset)
        _check_models(study, "subsets", name)
        subset["models"] = subset["models"] or own_models(study)


def _check_models(study: Config, *keys: str) -> None:
    """Refuse unknown models of the block that lies below these keys."""
    block = study
    for key in keys:
        block = block[key]
    unknown = sorted(set(block["models"] or []) - set(own_models(study)))
    if unknown:
        raise ValueError(
            f"{'.'.join(keys)}.models: there is no model '{unknown[0]}' that needs no extra "
            "environment"
        )


def _check(study: Config, name: str, subset: Config) -> None:
    mixed = isinstance(subset["of"], dict)
    if mixed == (subset["environments"] is not None):
        raise ValueError(
            f"subsets.{name}: of names the data sets with the environments of each, or "
            "environments is given for all together; give one of the two"
        )
    sources = subset_sources(subset)
    _check_sources(study, f"subsets.{name}", sources, ("train_and_test", "pool"))
    if len(set(sources)) < len(sources):
        raise ValueError(f"subsets.{name}: of names a data set twice; name each once")
    _check_labels(study, f"subsets.{name}", sources)
    if name in study["datasets"]:
        raise ValueError(f"subsets.{name}: a data set has this name already")


def _check_sources(study: Config, where: str, sources: list[str], uses: tuple[str, ...]) -> None:
    """Refuse names that are no data sets of one of these uses."""
    for source in sources:
        if study["datasets"].get(source, {"use": "none"})["use"] not in uses:
            raise ValueError(
                f"{where}: '{source}' is not a data set of this study with a training part; name "
                f"one with use: {' or '.join(uses)}"
            )


def _check_labels(study: Config, where: str, sources: list[str]) -> None:
    """Refuse cells whose labels have energies with several zeros."""
    if study["split"]["mixed_labels"]:
        return
    origins = {}
    for source in sources:
        entry = study["datasets"][source]
        kept = entry.get("labels") == "keep"
        origins[source] = f"as published with {source}" if kept else _labeller(study, entry)
    if len(set(origins.values())) > 1:
        parts = ", ".join(f"{source} ({origin})" for source, origin in origins.items())
        raise ValueError(
            f"{where}: it mixes labels whose energies are not comparable: {parts}; label "
            "these sets with one labeller, or set split.mixed_labels: true"
        )


def _labeller(study: Config, entry: Config) -> str:
    return f"labeller {entry.get('labeller', study['labeller'])}"


def _subset(of: Any, block: Config, study: Config, **others: Any) -> Config:
    method = block.get("method", "random")
    models = block["models"] or own_models(study)
    return {
        "of": of, "environments": None, "method": method, "models": models,
        "energy_weight": None, "draws": None, **others,
    }  # fmt: skip


def _learning_curve(study: Config) -> Iterator[tuple[str, Config]]:
    curve, whole = study["learning_curve"], study["split"]["train_environments"]
    sizes, draws = curve["environments"], curve["draws"]
    if draws and len(draws) != len(sizes):
        raise ValueError(
            f"learning_curve.draws: there are {len(draws)} numbers for {len(sizes)} environments; "
            "give as many, or none for all draws"
        )
    for environments, number in zip(sizes, draws or [None] * len(sizes), strict=True):
        if whole is not None and environments >= whole:
            raise ValueError(
                f"learning_curve.environments: {environments} is not below "
                f"split.train_environments ({whole}), which the last point of each curve has"
            )
        for name in _trained(study):
            size = {"environments": environments, "draws": number}
            yield f"{name}{environments}", _subset(name, curve, study, **size)


def _mixtures(study: Config) -> Iterator[tuple[str, Config]]:
    block, whole = study["mixtures"], study["split"]["train_environments"]
    base = block["base"]
    if not block["shares"] and not block["environments"]:
        raise ValueError(
            "mixtures: they have neither shares nor environments, so that there are none; give one "
            "of the two"
        )
    _check_sources(study, "mixtures.base", [base], ("train_and_test",))
    _check_sources(study, "mixtures.added", block["added"], ("train_and_test", "pool"))
    if block["shares"] and whole is None:
        raise ValueError(
            "mixtures.shares: they are shares of split.train_environments, which is null; give it "
            "a number, or leave shares empty"
        )
    for added in block["added"]:
        if added == base:
            raise ValueError(f"mixtures: {base} is added to itself; name other data sets as added")
        _check_labels(study, "mixtures.added", [base, added])
        for share in block["shares"]:
            taken = round(share * whole)
            of = {base: whole - taken, added: taken}
            yield f"{base}_{added}{100 * share:g}".replace(".", "_"), _subset(of, block, study)
        for environments in block["environments"]:
            of = {base: None, added: environments}
            yield f"{base}_plus_{added}{environments}", _subset(of, block, study)


def _weight_sensitivity(study: Config) -> Iterator[tuple[str, Config]]:
    block = study["weight_sensitivity"]
    for weight in block["energy_weights"]:
        for name in _trained(study):
            key = f"{name}_weight{weight:g}".replace(".", "_")
            yield key, _subset({name: None}, block, study, energy_weight=weight)


def _trained(study: Config) -> list[str]:
    return [name for name, entry in study["datasets"].items() if entry["use"] == "train_and_test"]
