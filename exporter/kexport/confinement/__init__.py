"""What a process that runs foreign artifacts may do: compute, within limits, and write into its own folders."""

from kexport.confinement.allowance import most_of_a_call, most_of_a_tensor, most_seconds, raised
from kexport.confinement.limits import (
    Confinement,
    confine,
    ended_by_limit,
    is_confined,
    lacking,
    limited,
    narrow,
    out_of_memory,
)

__all__ = [
    "Confinement",
    "confine",
    "ended_by_limit",
    "is_confined",
    "lacking",
    "limited",
    "most_of_a_call",
    "most_of_a_tensor",
    "most_seconds",
    "narrow",
    "out_of_memory",
    "raised",
]
