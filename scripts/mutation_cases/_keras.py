"""Changes of a `.keras` file: its configuration, and the archive."""

from __future__ import annotations

import json
from random import Random
from typing import Any

from mutation_cases import _bytes, _json, _zip
from mutation_cases._bytes import Edited

_MODULES = (
    "os",
    "keras.layers",
    "builtins",
    "subprocess",
    "keras.src.legacy",
    "tensorflow.io",
    "keras.ops",
    "keras.saving",
)
_CLASSES = (
    "system",
    "Lambda",
    "eval",
    "write_file",
    "Dense",
    "TorchModuleWrapper",
    "get_file",
    "StringLookup",
    "TFSMLayer",
    "function",
)


def edit(content: bytes, rng: Random) -> Edited:
    """One change."""
    return _zip.edit(content, rng, _inside)


def _inside(name: str, content: bytes, rng: Random) -> Edited:
    if not name.endswith(".json"):
        return _bytes.edit(content, rng)
    if name == "config.json" and rng.random() < 0.4:
        try:
            return _configuration(json.loads(content), rng)
        except (ValueError, KeyError, TypeError, IndexError):
            pass  # another change has been here
    return _json.edit(content, rng)


def _objects(value: Any) -> list[dict[str, Any]]:
    """The serialized objects in a configuration."""
    found = [value] if isinstance(value, dict) and "class_name" in value else []
    for each in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        found += _objects(each)
    return found


def _configuration(data: Any, rng: Random) -> Edited:
    thing = rng.choice(_objects(data))
    how = rng.choice(("class", "module", "large", "nested", "lambda"))
    if how == "class":
        thing["class_name"] = rng.choice(_CLASSES)
    elif how == "module":
        thing["module"], thing["registered_name"] = rng.choice(_MODULES), None
    elif how == "large":
        sizes = [
            key for key, value in thing["config"].items() if isinstance(value, int) and not isinstance(value, bool)
        ]
        key = rng.choice(sizes or ["units"])
        thing["config"][key] = rng.choice((10**9, 10**12, -1, 2**63, 10**6))
        how = f"large {key}"
    elif how == "nested":
        inner = dict(thing)
        for _ in range(rng.choice((5, 60, 300))):
            inner = {**thing, "config": {**thing["config"], "layer": inner}}
        thing["config"] = inner["config"]
    else:
        code = {"class_name": "__lambda__", "config": {"code": "4wAAAAA=", "defaults": None, "closure": None}}
        thing.update(
            module="keras.layers", class_name="Lambda", config={"name": "l", "function": code}, registered_name=None
        )
    return f"{how} in the configuration", json.dumps(data).encode()
