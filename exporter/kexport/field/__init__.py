"""Using a bundle where it runs: loading it, and checking it again. Needs numpy and a runtime."""
