"""What a process that runs foreign artifacts may do: compute, within limits, and write into its own folders."""

from kexport.confinement.limits import Confinement, confine, ended_by_limit, is_confined, lacking, limited

__all__ = ["Confinement", "confine", "ended_by_limit", "is_confined", "lacking", "limited"]
