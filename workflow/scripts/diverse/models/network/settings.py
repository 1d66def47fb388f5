"""Settings of the training of a network."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, replace
from typing import Any, Literal

from diverse.models.network.model import layer_widths


@dataclass(frozen=True)
class TrainingSettings:
    """Settings of the training of a network.

    Attributes
    ----------
    widths : sequence of int
        Neurons of each hidden layer.
    energy_weight, force_weight : float
        Row weights of an energy per atom (eV) and of a force component (eV/Å).
    epochs : float
        Passes over the training cells; also a part of one, or of the last.
    steps : int or None
        Steps of the optimiser, instead of epochs.
    batch : int or None
        Most cells per optimiser step; None for all at once.
    learning_rate, weight_decay : float
        Parameters of AdamW; the learning rate rises for a twentieth of all steps, then falls
        along a cosine and is zero at the last.
    validation_fraction : float
        Part of the cells, in whole trajectories, that is not trained on and chooses nothing: the
        curves of training are drawn from it. 0 trains on all.
    energy_scale : float or None, eV/atom
        Weighs the rows of a cell by `diverse.models.weights.energy_dependent_weight`.
    precision : {"float32", "float64"}
        Precision of the training; the trained network is always evaluated in float64.
    jacobians : {"cached", "matrix_free", "auto"}
        Whether the derivatives of the descriptors are stored or computed anew in every step; auto
        stores them where they take at most `jacobian_memory`.
    jacobian_memory : int
        Bytes.
    """

    widths: Sequence[int]
    energy_weight: float
    force_weight: float
    epochs: float
    batch: int | None
    learning_rate: float
    weight_decay: float
    validation_fraction: float
    steps: int | None = None
    energy_scale: float | None = None
    precision: Literal["float32", "float64"] = "float32"
    jacobians: Literal["cached", "matrix_free", "auto"] = "auto"
    jacobian_memory: int = 1_000_000_000

    @classmethod
    def of(
        cls, model: Mapping[str, Any], *, n_descriptors: int, jacobian_memory: int
    ) -> TrainingSettings:
        """Read the study's entry of a model; none of its weights may be ``auto``."""
        widths = model["widths"] or layer_widths(model["type"], n_descriptors)
        values = {**model, "widths": widths, "jacobian_memory": jacobian_memory}
        return cls(**{field.name: values[field.name] for field in fields(cls)})

    def shortened(self, part: float) -> TrainingSettings:
        """Return the settings of a training of a part of the epochs, whole ones, or steps."""
        epochs = min(self.epochs, max(1, round(part * self.epochs)))
        return replace(self, epochs=epochs, steps=self.steps and max(1, round(part * self.steps)))
