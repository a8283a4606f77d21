"""Parts of a TFLite file that no runtime needs: an empty buffer for each computed tensor, and codes of no operator."""

from __future__ import annotations

from typing import Any

from kexport.factory.formats._tflite_model import FlatModel

_EMPTY = 0  # the first buffer of a file is that of all tensors without content


def drop_spare_parts(model: FlatModel) -> None:
    """Leave out what the file can do without, in place."""
    buffers: list[Any] = model.buffers
    tensors = [tensor for graph in model.subgraphs for tensor in graph.tensors]
    named = list(getattr(model, "metadata", None) or ())
    filled = {each.buffer for each in (*tensors, *named) if buffers[each.buffer].data is not None}
    if buffers[_EMPTY].data is None:
        new = {old: index for index, old in enumerate([_EMPTY, *sorted(filled - {_EMPTY})])}
        model.buffers = [buffers[old] for old in new]
        for each in (*tensors, *named):
            each.buffer = new.get(each.buffer, _EMPTY)
    operators = [operator for graph in model.subgraphs for operator in graph.operators or ()]
    used = sorted({operator.opcodeIndex for operator in operators})
    model.operatorCodes = [model.operatorCodes[index] for index in used]
    for operator in operators:
        operator.opcodeIndex = used.index(operator.opcodeIndex)
