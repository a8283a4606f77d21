"""Corrections of Keras code that goes wrong in a graph, active while a model is traced: one file per correction."""

from kexport.factory.corrections._correction import Record, all_active

__all__ = ["Record", "all_active"]
