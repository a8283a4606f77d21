"""Changes of an `.npz` file: the archive, its arrays, and the JSON that a witness holds in one of them."""

from __future__ import annotations

import io
import json
from random import Random

import numpy as np

from mutation_cases import _json, _npy, _zip
from mutation_cases._bytes import Edited

_ABOUT = "about.npy"


def edit(content: bytes, rng: Random) -> Edited:
    """One change."""
    return _zip.edit(content, rng, _inside)


def _inside(name: str, content: bytes, rng: Random) -> Edited:
    if name == _ABOUT and rng.random() < 0.7:
        try:
            about = json.loads(str(np.load(io.BytesIO(content), allow_pickle=False)))
        except ValueError:
            return _npy.edit(content, rng)
        what, text = _json.edit(json.dumps(about).encode(), rng)
        stream = io.BytesIO()
        np.save(stream, np.array(text.decode("utf-8", "replace")), allow_pickle=False)
        return what, stream.getvalue()
    return _npy.edit(content, rng)
