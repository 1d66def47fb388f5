"""Values to compare with: a file of the literature's, each with its source."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import yaml

EXPERIMENT = "experiment"
KINDS = ("DFT-PBE", EXPERIMENT)
FORM = (
    "a file of references has sources, texts by name, and under DFT-PBE and experiment a value and "
    "the name of its source for each property, as in: C11: [523.0, name]"
)


class ReferencesError(ValueError):
    """A file of references cannot be read; the message says what is wrong with it."""


def read_references(path: Path) -> pd.DataFrame:
    """Return the values of a file of references.

    Returns
    -------
    DataFrame
        Columns ``potential`` (DFT-PBE or experiment), ``property``, ``value`` and ``source``.

    Raises
    ------
    ReferencesError
        If there is no such file, or it is no such table.
    """
    try:
        content = yaml.safe_load(path.read_text())
        sources = content["sources"]
        rows = [
            {"potential": kind, "property": name, "value": float(value), "source": sources[source]}
            for kind in KINDS
            for name, (value, source) in content.get(kind, {}).items()
        ]
    except OSError as error:
        raise ReferencesError(f"there is no file '{path}' ({error.strerror})") from None
    except KeyError as error:
        raise ReferencesError(f"'{path}' names no {error}: {FORM}") from None
    except (yaml.YAMLError, TypeError, ValueError, AttributeError):
        raise ReferencesError(f"'{path}' cannot be read: {FORM}") from None
    return pd.DataFrame(rows, columns=["potential", "property", "value", "source"])
