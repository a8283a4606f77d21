"""Parity in a test suite: `assert_parity` for any framework, and a pytest plugin around it.

pytest loads the plugin wherever kexport is installed, so nothing heavy is imported before a test uses it.
"""

from kexport.testing.parity import ParityError, assert_parity

__all__ = ["ParityError", "assert_parity"]
