"""Searching for the inputs on which a runtime is furthest from its reference."""
