"""What to do about a file that a runtime cannot load, from what the runtime says of it."""

from __future__ import annotations

#: What onnxruntime and LiteRT say of a file that is sound, and holds what they lack.
_NO_KERNEL = ("Could not find an implementation for", "Didn't find op for builtin opcode")


def hint(why: str) -> str:
    """The hint of the error.

    Args:
        why: what the runtime says.
    """
    if any(words in why for words in _NO_KERNEL):
        return (
            "the runtime has no kernel for that operation in this version, or for its dtype: a newer runtime may have "
            "one; or write the model with another operation or dtype, such as float32 or int32"
        )
    return "it was damaged, or is newer than the runtime; copy or build the bundle again"
