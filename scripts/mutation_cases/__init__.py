"""Mutations of the files of a bundle, and what each operation does with them: counted by `scripts/mutations.py`."""
