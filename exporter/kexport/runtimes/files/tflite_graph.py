"""The steps of a TFLite file."""

from __future__ import annotations

import struct
from pathlib import Path
from typing import Any

from kexport.runtimes.files.stored_graph import (
    ANYWHERE,
    Digest,
    StoredConstant,
    StoredGraph,
    StoredOperator,
    TensorNumbers,
    digest_of,
)
from kexport.runtimes.files.tflite import number, numbered, parse, schema


def graph(path: Path, signature: str = "") -> StoredGraph | None:
    """The operators of one signature of a TFLite file; None where it cannot be read."""
    try:
        return _read(parse(path.read_bytes()), signature)
    except (OSError, ImportError, LookupError, AttributeError, ValueError, TypeError, struct.error):
        return None  # loading it tells


def _read(model: Any, signature: str) -> StoredGraph:
    numbers = TensorNumbers()
    steps: list[StoredOperator] = []
    constants: dict[int, StoredConstant] = {}
    kinds = numbered(schema().BuiltinOperator)
    signatures = {_text(each.signatureKey): each for each in model.signatureDefs or ()}
    entry = signatures[signature].subgraphIndex if signature in signatures else 0
    others = {each.subgraphIndex for each in signatures.values()} - {entry}
    for place, graph in enumerate(model.subgraphs):
        if place in others:
            continue
        for tensor in graph.inputs:
            numbers[place, int(tensor)]
        for operator in graph.operators or ():
            code = model.operatorCodes[operator.opcodeIndex]
            kind = code.customCode.decode(errors="replace") if code.customCode else kinds[number(code)]
            given, made = ([int(each) for each in side if each >= 0] for side in (operator.inputs, operator.outputs))
            for each in given:
                content = model.buffers[graph.tensors[each].buffer].data
                if content is not None and len(content):
                    constants[numbers[place, each]] = _constant(graph.tensors[each], content)
            settings = _settings(operator)
            settings |= {f"scale of output {index}": _tensor(graph.tensors[each]) for index, each in enumerate(made)}
            owner = None if place == entry else ANYWHERE
            ours, theirs = (tuple(numbers[place, each] for each in side) for side in (given, made))
            steps.append(StoredOperator(kind, ours, theirs, settings, owner))
    tensors = model.subgraphs[entry].tensors
    outputs = {_text(tensors[each].name): numbers[entry, int(each)] for each in model.subgraphs[entry].outputs}
    if signature in signatures:
        outputs |= {_text(each.name): numbers[entry, int(each.tensorIndex)] for each in signatures[signature].outputs}
    return StoredGraph(steps, constants, outputs)


def _settings(operator: Any) -> dict[str, Digest]:
    """The digests of an operator's options; those of a custom operator are bytes."""
    custom = operator.customOptions
    plain = {} if operator.builtinOptions is None else vars(operator.builtinOptions)
    settings = {name: digest_of(repr(value)) for name, value in plain.items()}
    return settings | ({"options": digest_of(bytes(custom))} if custom is not None and len(custom) else {})


def _tensor(tensor: Any, content: Any = b"") -> Digest:
    """The digest of a tensor's type, of how its integers stand for real numbers, and of its numbers."""
    scales = tensor.quantization
    stated = (
        (None if each is None else [float(n) for n in each] for each in (scales.scale, scales.zeroPoint))
        if scales
        else ()
    )
    return digest_of(tensor.type, *stated, bytes(content))


def _text(name: bytes | None) -> str:
    return (name or b"").decode(errors="replace")


def _constant(tensor: Any, content: Any) -> StoredConstant:
    shape = () if tensor.shape is None else tuple(int(size) for size in tensor.shape)
    return StoredConstant(_text(tensor.name), _tensor(tensor, content), shape)
