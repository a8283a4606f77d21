"""The kinds of source for `--model`: one file per kind."""

from kexport.factory.sources._source import Source, find

__all__ = ["Source", "find"]
