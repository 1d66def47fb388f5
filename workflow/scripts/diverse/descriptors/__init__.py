"""Descriptors of environments, what sums them up, and the space they are compared in."""
