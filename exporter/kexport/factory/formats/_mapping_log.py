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
        if record.msg.startswith("Failed to convert node") and isinstance(record.args, tuple):
            self._tell(str(record.args[0]))


@contextlib.contextmanager
def unmapped_nodes(tell: Callable[[str], None]) -> Iterator[None]:
    """Within the block, tell the name of each node for which a handler of tf2onnx raises."""
    logger, listener = logging.getLogger("tf2onnx.tfonnx"), _Listener(tell)
    logger.addHandler(listener)
    try:
        yield
    finally:
        logger.removeHandler(listener)
