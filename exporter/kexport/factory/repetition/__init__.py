"""Whether a build writes the same bytes again."""

from kexport.factory.repetition.rebuild import check_rebuild

__all__ = ["check_rebuild"]
