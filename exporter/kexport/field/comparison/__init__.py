"""Comparing two models, each a bundle or a bare file."""
