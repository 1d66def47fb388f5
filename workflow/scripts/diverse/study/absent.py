"""Optional data sets that are not at hand: the study goes on without them."""

from __future__ import annotations

import logging
from pathlib import Path

from diverse.datasets.literature.fetch import absence
from diverse.study.reading import demand
from diverse.study.settings import Config
from diverse.study.subsets import subset_sources

logger = logging.getLogger(__name__)


def drop_absent(study: Config) -> None:
    """Leave out optional published sets that are not at hand, and what is made of them.

    That are sets that complement them, subsets, and mixtures. Notices say so, and
    ``study["left_out"]``, by data set, which the report shows.

    Raises
    ------
    ConfigError
        If a published set is not at hand that is not optional.
    """
    cache = Path("results", study["study"], "downloads")
    for name, dataset in list(study["datasets"].items()):
        if dataset["family"] == "literature":
            reason = absence(dataset["source"], dataset.get("sha256"), cache)
            demand(
                dataset["optional"] or not reason,
                f"datasets.{name}: {reason}; correct source, or say optional: true and the "
                "study goes on without it",
            )
            if reason:
                _drop(study, name, reason)


def _drop(study: Config, name: str, reason: str) -> None:
    logger.warning("The study goes on without its data set %s: %s", name, reason)
    study["left_out"][name] = reason
    del study["datasets"][name]
    subsets = study["subsets"].items()
    study["subsets"] = {k: entry for k, entry in subsets if name not in subset_sources(entry)}
    if "mixtures" in study:
        mixtures = study["mixtures"]
        mixtures["added"] = [other for other in mixtures["added"] if other != name]
        if mixtures["base"] == name or not mixtures["added"]:
            del study["mixtures"]
    for other, dataset in list(study["datasets"].items()):
        if dataset.get("complement") == name:
            _drop(study, other, f"it complements {name}, which is not at hand")
