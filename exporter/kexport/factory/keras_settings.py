"""The settings that Keras reads from a file of the user's, without the import of Keras."""

from __future__ import annotations

import contextlib
import json
import os

_DEFAULTS: dict[str, object] = {"floatx": "float32", "epsilon": 1e-07, "image_data_format": "channels_last"}


def keras_settings() -> dict[str, object]:
    """What Keras takes from its file of settings when it is imported, as far as models depend on it."""
    folder = os.environ.get("KERAS_HOME") or os.path.join(os.path.expanduser("~"), ".keras")
    path, found = os.path.join(folder, "keras.json"), None
    with contextlib.suppress(OSError, ValueError, RecursionError), open(path, encoding="utf-8") as file:
        found = json.load(file)
    return _DEFAULTS | {key: found[key] for key in _DEFAULTS if isinstance(found, dict) and key in found}
