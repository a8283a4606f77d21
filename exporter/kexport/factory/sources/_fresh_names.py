"""Names of layers that do not depend on what else the process has made."""

from __future__ import annotations

import contextlib
from collections import defaultdict
from collections.abc import Iterator

_NUMBERS = "object_name_uids"  # how often Keras has given each name: its attribute, of the thread


@contextlib.contextmanager
def fresh_names() -> Iterator[None]:
    """Within the block, Keras numbers layers without a name from the start: `dense`, `dense_1`, ..."""
    from keras.src.backend.common import global_state

    numbers = global_state.get_global_attribute(_NUMBERS)
    global_state.set_global_attribute(_NUMBERS, defaultdict(int))
    try:
        yield
    finally:
        global_state.set_global_attribute(_NUMBERS, numbers)
