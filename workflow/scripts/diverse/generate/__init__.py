"""Structure generation: entropy-maximised, random and expert families."""
