"""Models as they left training: what every exported potential is checked against."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from diverse.models import Model
from diverse.models.network import NetworkModel
from diverse.models.polynomial import PolynomialModel


def save_trained(model: Model, path: str | Path) -> None:
    """Write the parameters of a model as an .npz, which no code of the export has touched."""
    arrays: dict[str, Any] = {"twojmax": model.twojmax}
    if isinstance(model, NetworkModel):
        arrays |= {"mean": model.mean, "scale": model.scale}
        for number, layer in enumerate(zip(model.weights, model.biases, strict=True)):
            arrays[f"weights{number}"], arrays[f"biases{number}"] = layer
    elif isinstance(model, PolynomialModel):
        arrays |= {"constant": model.constant, "linear": model.linear}
        if model.quadratic is not None:
            arrays["quadratic"] = model.quadratic
    else:
        raise TypeError(f"{type(model).__name__} is no model family that can be stored")
    np.savez(path, **arrays)


def load_trained(path: str | Path) -> Model:
    """Read what `save_trained` wrote."""
    with np.load(path) as file:
        arrays = dict(file)
    twojmax = int(arrays["twojmax"])
    if "linear" in arrays:
        quadratic = arrays.get("quadratic")
        return PolynomialModel(twojmax, float(arrays["constant"]), arrays["linear"], quadratic)
    layers = range(sum(name.startswith("weights") for name in arrays))
    return NetworkModel(
        twojmax,
        arrays["mean"],
        arrays["scale"],
        [arrays[f"weights{number}"] for number in layers],
        [arrays[f"biases{number}"] for number in layers],
    )
