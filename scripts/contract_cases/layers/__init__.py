"""Layers that keep what they promise, one file a layer: seeded random configurations of it."""
