"""Errors of models on test sets, their intervals, and comparisons of training sets by them."""
