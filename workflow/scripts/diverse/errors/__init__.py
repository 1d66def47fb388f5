"""Errors of models on test sets, their intervals, and what they say of training sets."""
