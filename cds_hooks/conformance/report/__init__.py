"""A report in four forms: for a terminal, for a browser, for a build server, and as data."""
