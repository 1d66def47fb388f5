"""Published data sets: fetched, read with their own labels, checked and reported."""
