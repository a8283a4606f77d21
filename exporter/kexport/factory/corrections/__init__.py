"""Corrections of Keras code that cannot be traced, or converted, as it is: one file per correction."""

from kexport.factory.corrections._correction import Record, RecurrentSettings, all_active

__all__ = ["Record", "RecurrentSettings", "all_active"]
