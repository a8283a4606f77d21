"""Broken promises, one file a kind of contract."""
