"""Sources of published data sets, before anything is looked up: paths and URLs that can be."""

from __future__ import annotations

from urllib.parse import urlsplit

from diverse.datasets.literature.keys import contradiction
from diverse.study.reading import demand
from diverse.study.schema import Config, quoted

SCHEMES = ("http", "https", "ftp", "file")
LONGEST_NAME = 235  # bytes of a file's name; a download's has a prefix


def check_sources(study: Config) -> None:
    """Refuse sources of published sets that are no path and no URL, whatever lies there.

    Raises
    ------
    ConfigError
        For an empty source, a name no file can have, a URL with a space, other letters than
        ASCII, or without a host; for keys that name both stress and virial, and a labeller beside
        published labels that are kept.
    """
    for name, dataset in study["datasets"].items():
        if dataset["family"] != "literature":
            continue
        where, source = f"datasets.{name}.source", str(dataset["source"])
        demand(source.strip() != "", f"{where}: this is empty; name a file, a folder or a URL")
        longest = max(len(part.encode()) for part in source.split("/"))
        demand(longest <= LONGEST_NAME, f"{where}: {quoted(source)} is too long for a file")
        why = contradiction(dataset["keys"])
        demand(not why, f"datasets.{name}.keys: {why}")
        demand(
            dataset["labels"] == "relabel" or "labeller" not in dataset,
            f"datasets.{name}.labeller: the published labels are kept and nothing is labelled; "
            "say labels: relabel, or delete labeller",
        )
        if "://" in source:
            _check_url(where, source)


def _check_url(where: str, url: str) -> None:
    demand(" " not in url, f"{where}: {quoted(url)} holds a space; a URL has %20 in its place")
    demand(url.isascii(), f"{where}: {quoted(url)} is not ASCII; percent-encode its letters")
    try:
        parts = urlsplit(url)
        valid = parts.scheme in SCHEMES and (parts.hostname or parts.scheme == "file")
        _ = parts.port
    except ValueError:
        valid = False
    demand(bool(valid), f"{where}: {quoted(url)} is no URL; it begins with https://HOST/")
