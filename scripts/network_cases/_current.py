"""The network that this process is about, as kexport gets it: a callable of a module."""

from __future__ import annotations

from typing import Any

from network_cases import _generator
from network_cases._network import Network

seed, index = 0, 0
network: Network | None = None


def model() -> Any:
    """Draw the network, unless it is given, and make its model."""
    global network
    if network is None:
        network = _generator.network(seed, index)
    return network.model()
