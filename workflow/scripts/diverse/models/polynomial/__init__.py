"""Linear and quadratic SNAP: the model, its design rows, and fits that never hold all of them."""

from diverse.models.polynomial.model import PolynomialModel

__all__ = ["PolynomialModel"]
