"""Bundles whose artifact is a file of one operator, drawn anew for each number."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

#: Of inputs that a call gives.
DTYPES = frozenset({"bool", "float32", "float64", "float16", "int8", "uint8", "int16", "int32", "int64"})


class Spec(NamedTuple):
    """An input or output: its name, dtype, shape, and the value that a call gives."""

    name: str
    dtype: str
    shape: tuple[int | None, ...]
    value: Any


@dataclass(frozen=True)
class OneOperator:
    """A file of one operator.

    Attributes:
        what: was drawn.
        content: of the file.
        inputs: what a call gives.
        outputs: what it gets.
    """

    what: str
    content: bytes
    inputs: tuple[Spec, ...]
    outputs: tuple[Spec, ...]

    def manifest(self, healthy: bytes, path: str) -> bytes:
        """The manifest of a healthy bundle, made that of this file.

        Args:
            healthy: the manifest.
            path: of the artifact, whose place the file takes.
        """
        manifest = json.loads(healthy)
        manifest["signature"] = {
            side: [{"name": s.name, "dtype": s.dtype, "shape": list(s.shape)} for s in specs]
            for side, specs in (("inputs", self.inputs), ("outputs", self.outputs))
        }
        domains = {"f": "uniform(-10, 10)", "b": "choice(0, 1)", "U": "choice('a', 'b')"}
        kinds = {spec.name: "U" if spec.dtype == "string" else np.dtype(spec.dtype).kind for spec in self.inputs}
        manifest["domains"] = {name: domains.get(kind, "integers(0, 10)") for name, kind in kinds.items()}
        limit = manifest["goldens"]["limits"][0]
        manifest["goldens"]["limits"] = [{**limit, "output": spec.name} for spec in self.outputs]
        for artifact in manifest["artifacts"]:
            if artifact["path"] == path:
                artifact["sha256"] = hashlib.sha256(self.content).hexdigest()
                artifact["bytes"] = len(self.content)
        return json.dumps(manifest).encode()

    def feeds(self) -> Mapping[str, Any]:
        """The inputs of a call."""
        return {spec.name: np.asarray(spec.value) for spec in self.inputs}
