"""Changes of an `.onnx` file: fields of its messages by name, its numbers, and where it says that weights are."""

from __future__ import annotations

from random import Random
from typing import Any

import onnx

from mutation_cases import _protobuf
from mutation_cases._bytes import Edited

_INTEGERS = (0, 1, -1, 2, 3, 7, 10, 11, 16, 100, 1000, 2**20, 2**31 - 1, 2**31, 2**40, 2**62, -(2**31), -(2**63))
_FLOATS = (0.0, -1.0, float("nan"), float("inf"), 1e30)
_TEXTS = ("", "x", "a" * 5000, "../../watched/secret", "/etc/passwd", "/dev/zero", "é", "\x1b[31m", "Loop", "If",
    "Scan", "Identity",
          "ai.onnx.ml", "com.microsoft", "Shape", "Expand", "NonZero", "Range", "ConstantOfShape", "Tile", "Resize",
    "Pad")  # fmt: skip
_Place = tuple[Any, Any, str]


def _places(message: Any, name: str = "model") -> list[_Place]:
    """Each field that is set, of each message."""
    found: list[_Place] = []
    for field, value in message.ListFields():
        where = f"{name}.{field.name}"
        found.append((message, field, where))
        if field.type == field.TYPE_MESSAGE:
            for each in value if field.is_repeated else [value]:
                found += _places(each, where)
    return found


def _scalar(field: Any, old: Any, rng: Random) -> Any:
    if field.type in (field.TYPE_FLOAT, field.TYPE_DOUBLE):
        return rng.choice((*_FLOATS, old * 2))
    if field.type == field.TYPE_STRING:
        return rng.choice((*_TEXTS, old + "_", old[:-1]))
    if field.type == field.TYPE_BYTES:
        return rng.choice((b"", old[:-1], old * 2, old + b"\0", bytes(len(old)), b"\xff" * len(old)))
    return rng.choice((*_INTEGERS, old + 1, old - 1, old * 2))


def _external(model: Any, rng: Random) -> str:
    tensors = model.graph.initializer
    if not tensors:
        raise ValueError("no weights")
    tensor = rng.choice(tensors)
    place = rng.choice(
        ("../../watched/secret", "/etc/passwd", "/dev/zero", "", ".", "model.onnx", "missing", "*/_ORT_MEM_ADDR_/*")
    )
    tensor.ClearField("raw_data")
    tensor.data_location = onnx.TensorProto.EXTERNAL
    entries = {
        "location": place,
        "offset": str(rng.choice((0, 2**62, -1, 64))),
        "length": str(rng.choice((4, 2**62, -1))),
    }
    for key, value in entries.items():
        if rng.random() < 0.8:
            tensor.external_data.add(key=key, value=value)
    return f"weights of {tensor.name} in {place}"


def _nested(model: Any, rng: Random) -> str:
    depth = rng.choice((20, 90))
    graph = onnx.GraphProto()
    for _ in range(depth):
        node = onnx.helper.make_node("If", ["c"], ["o"], then_branch=graph, else_branch=onnx.GraphProto())
        graph = onnx.helper.make_graph([node], "g", [], [])
    model.graph.node.extend(graph.node)
    return f"branches nested {depth} deep"


def _change(model: Any, rng: Random) -> str:
    message, field, where = rng.choice(_places(model))
    value = getattr(message, field.name)
    if field.is_repeated:
        place = rng.randrange(len(value))
        how = rng.choice(("remove", "repeat", "change", "change", "reverse", "many"))
        if how == "remove":
            del value[place]
        elif how in ("repeat", "many"):
            value.extend([value[place]] * (1 if how == "repeat" else 200))
        elif how == "reverse":
            items = list(value)[::-1]
            del value[:]
            value.extend(items)
        elif field.type == field.TYPE_MESSAGE:
            del value[place + 1 :]
        else:
            value[place] = _scalar(field, value[place], rng)
        return f"{how} {where}"
    if field.type == field.TYPE_MESSAGE or rng.random() < 0.1:
        message.ClearField(field.name)
        return f"clear {where}"
    setattr(message, field.name, _scalar(field, value, rng))
    return f"change {where}"


def edit(content: bytes, rng: Random) -> Edited:
    """One change."""
    kind = rng.random()
    if kind < 0.35:
        return _protobuf.edit(content, rng)
    try:
        model = onnx.load_from_string(content)
        how = _external if kind < 0.39 else _nested if kind < 0.4 else _change
        return how(model, rng), model.SerializeToString()
    except Exception:  # noqa: BLE001  it cannot be read after an earlier change, or a value does not fit the field
        return _protobuf.edit(content, rng)
