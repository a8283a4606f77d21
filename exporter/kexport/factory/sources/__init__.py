"""The kinds of source for `--model`: one file per kind."""

from kexport.factory.sources._fresh_names import fresh_names
from kexport.factory.sources._source import Source, find

__all__ = ["Source", "find", "fresh_names"]
