"""Models with one bad layer each: in every file LAYER, WORDS of the cause, the OUTCOME, and `# at fault` on a line."""
