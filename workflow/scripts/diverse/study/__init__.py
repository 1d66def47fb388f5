"""A study: its file checked, objects made from it, and the cells of its chunks."""
