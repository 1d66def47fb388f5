"""Tanh networks on energies and forces: the model, its data and loss, and their training."""
