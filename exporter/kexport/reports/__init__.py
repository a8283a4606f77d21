"""Ways to show a report: one file a rendering. Each takes a `Report` and returns text."""
