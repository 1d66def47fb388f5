"""Linear and quadratic SNAP: the model, its design rows, and fits that never hold all of them."""
