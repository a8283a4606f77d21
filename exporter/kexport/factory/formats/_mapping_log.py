"""Which node tf2onnx could not map: it says so in its log alone, and raises the exception later."""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Callable, Iterator


class _Listener(logging.Handler):
    def __init__(self, tell: Callable[[str], None]) -> None:
        super().__init__(logging.ERROR)
        self._tell = tell

    def emit(self, record: logging.LogRecord) -> None:
        if isinstance(record.args, tuple) and record.msg.startswith(("Failed to convert node", "pass1 convert failed")):
            self._tell(str(getattr(record.args[0], "name", record.args[0])))  # a node of ONNX, or one of TensorFlow


@contextlib.contextmanager
def unmapped_nodes(tell: Callable[[str], None]) -> Iterator[None]:
    """Within the block, tell the name of each node that tf2onnx cannot write, or for which a handler of its raises."""
    loggers, listener = [logging.getLogger(f"tf2onnx.{name}") for name in ("tfonnx", "tf_utils")], _Listener(tell)
    for logger in loggers:
        logger.addHandler(listener)
    try:
        yield
    finally:
        for logger in loggers:
            logger.removeHandler(listener)
