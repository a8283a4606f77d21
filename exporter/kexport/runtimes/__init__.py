"""The runtimes that run artifacts: one file per runtime, named as users type it."""

from kexport.runtimes._runtime import ArtifactFile, Opened, Package, Runtime, Session, best, every, get, group_of, names

__all__ = ["ArtifactFile", "Opened", "Package", "Runtime", "Session", "best", "every", "get", "group_of", "names"]
