"""Basis of an ACE potential, as the package ace-jax builds it."""

from __future__ import annotations

import os
from functools import cache
from importlib.metadata import version
from typing import Any

from diverse.labels.labellers.extra import add_packages

ONE_CORE = "--xla_cpu_multi_thread_eigen=false intra_op_parallelism_threads=1"


@cache
def load_packages() -> None:
    """Let this process import ace-jax, on one core of the CPU and in double precision.

    Raises
    ------
    LabellerError
        If the extra environment was not made.
    """
    add_packages("ace")
    os.environ.setdefault("XLA_FLAGS", ONE_CORE)
    os.environ.setdefault("JAX_PLATFORMS", "cpu")
    import jax

    jax.config.update("jax_enable_x64", True)


def package_version() -> str:
    """Return the name of the package that makes the functions, with its version."""
    load_packages()
    return f"ace-jax {version('ace-jax')}"


@cache
def ace_basis(order: int, degree: int, cutoff: float, element: str) -> tuple[Any, dict[str, Any]]:
    """Return the model of ace-jax with all coefficients zero, and what it says of its basis.

    Radial functions are polynomials in a transformed distance times an envelope, angular functions
    solid harmonics; products have up to `order` factors, each a sum over the neighbours, and a
    total degree, the sum of n + 1.5 l over the factors, of at most `degree`. Nothing is drawn at
    random, and nothing is kept in a cache of the user.
    """
    load_packages()
    from ace_jax.basis.model import build_model

    built = build_model([element], order, degree, rcut=cutoff, coupling_cache=False)
    model, facts = built.eval_pair()
    return model, dict(facts)
