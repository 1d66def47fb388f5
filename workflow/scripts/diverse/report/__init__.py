"""The report: figures, tables as pages, cards, and what the repository releases."""
