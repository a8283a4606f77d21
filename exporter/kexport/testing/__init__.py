"""Parity in a test-suite: `assert_parity` for any of them, and a pytest plugin around it.

pytest loads the plugin wherever kexport is installed, so nothing heavy is imported here before a test asks.
"""

from kexport.testing.parity import ParityError, assert_parity

__all__ = ["ParityError", "assert_parity"]
