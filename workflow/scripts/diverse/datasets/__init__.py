"""Data sets: divided into training and test parts, thinned to subsets, imported."""
