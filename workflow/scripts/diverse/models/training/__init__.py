"""Training of networks on energies and forces."""

from diverse.models.training.data import TrainingCells, training_cells
from diverse.models.training.loop import train_network
from diverse.models.training.settings import TrainingSettings

__all__ = ["TrainingCells", "TrainingSettings", "train_network", "training_cells"]
