"""Entropy-maximised training sets for interatomic potentials: the study's library."""
