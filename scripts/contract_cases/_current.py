"""The configuration whose turn it is in this process; a build takes its model from here."""

from __future__ import annotations

from typing import Any

from contract_cases._configuration import Configuration

configuration: Configuration | None = None


def model() -> Any:
    """The model of the configuration."""
    assert configuration is not None
    return configuration.model()
