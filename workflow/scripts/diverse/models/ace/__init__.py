"""Atomic cluster expansion (ACE): potentials linear in their coefficients, by ace-jax.

The package lies in the extra environment ``ace`` (``./envs/run --with ace``), and is imported where
it is used alone.
"""
