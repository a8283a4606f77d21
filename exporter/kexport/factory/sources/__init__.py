"""What `--model` may be: one file per kind of source."""

from kexport.factory.sources._source import Source, find

__all__ = ["Source", "find"]
