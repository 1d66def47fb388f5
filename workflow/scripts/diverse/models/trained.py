"""Models as they left training: what every exported potential is checked against."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from diverse.models import Model, families


def save_trained(model: Model, path: str | Path) -> None:
    """Write the parameters of a model as an .npz, which no code of the export has touched."""
    arrays: dict[str, Any] = {"family": model.family}
    np.savez(path, **arrays | model.arrays())


def load_trained(path: str | Path) -> Model:
    """Read the model that `save_trained` wrote."""
    with np.load(path) as file:
        arrays = dict(file)
    model: Model = families()[str(arrays.pop("family"))].from_arrays(arrays)
    return model
