"""The runtimes that run artifacts: one file per runtime, named as users type it."""

from kexport.runtimes._runtime import TENSORFLOW, ArtifactFile, Package, Runtime, best, every, get, group_of, names
from kexport.runtimes._session import Opened, Recipe, Session

__all__ = [
    "TENSORFLOW",
    "ArtifactFile",
    "Opened",
    "Package",
    "Recipe",
    "Runtime",
    "Session",
    "best",
    "every",
    "get",
    "group_of",
    "names",
]
