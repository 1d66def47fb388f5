"""Chunks of a data set that are made, and the round of each."""

from __future__ import annotations

from typing import Any


def chunk_round(dataset: dict[str, Any], chunk: int) -> int:
    """Return the round of a chunk; a data set without rounds has one."""
    rounds: int = dataset.get("rounds", 1)
    return chunk * rounds // int(dataset["chunks"])


def chunks_of_round(dataset: dict[str, Any], number: int) -> list[int]:
    """Return the chunks of one round."""
    return [c for c in range(dataset["chunks"]) if chunk_round(dataset, c) == number]


def chunks_made(dataset: dict[str, Any]) -> range:
    """Return the chunks that are made: all, or the first of them."""
    return range(min(dataset["chunks"], dataset.get("first_chunks") or dataset["chunks"]))
