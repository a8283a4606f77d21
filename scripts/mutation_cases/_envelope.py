"""Changes of a signature: its envelope, and the statement in it."""

from __future__ import annotations

import base64
import json
from random import Random

from mutation_cases import _json
from mutation_cases._bytes import Edited


def payload_of(content: bytes) -> bytes:
    """The statement that is signed."""
    return base64.b64decode(json.loads(content)["dsseEnvelope"]["payload"])


def edit(content: bytes, rng: Random) -> Edited:
    """One change."""
    if rng.random() < 0.5:
        return _json.edit(content, rng)
    data = json.loads(content)
    what, payload = _json.edit(base64.b64decode(data["dsseEnvelope"]["payload"]), rng)
    data["dsseEnvelope"]["payload"] = base64.b64encode(payload).decode()
    return f"statement: {what}", json.dumps(data).encode()
