"""Tables as HTML pages for the report."""
