"""ONNX with weights in half precision, which are made float32 where they are used: as TFLite's float16 has them.

Where all arithmetic is of half precision, each result is rounded to 11 bits, and a processor without it, as most are,
converts before and behind each operator. Runtimes make the weights float32 once, when they load the file.
"""

from __future__ import annotations

import numpy as np

from kexport.factory.formats._onnx_graphs import with_inner
from kexport.factory.graph.onnx_protocols import OnnxModel

_FEW = 2  # numbers; a single one takes less than the operator that widens it
_LARGEST = float(np.finfo(np.float16).max)
_SUFFIX = "/half"


def halve_weights(model: OnnxModel) -> None:
    """Give constants half precision, but for sizes, those of few numbers, and those of some that it lacks."""
    import onnx
    from onnx import numpy_helper

    for graph in with_inner(model.graph):
        widened = []
        sizes = {name for node in graph.node if node.op_type == "Resize" for name in node.input[1:]}
        for tensor in graph.initializer:
            if tensor.data_type != onnx.TensorProto.FLOAT or np.prod(tensor.dims) < _FEW or tensor.name in sizes:
                continue
            numbers, name = numpy_helper.to_array(tensor), tensor.name
            if np.abs(numbers[np.isfinite(numbers)]).max(initial=0.0) > _LARGEST:
                continue
            tensor.CopyFrom(numpy_helper.from_array(numbers.astype(np.float16), name + _SUFFIX))
            widened.append(onnx.helper.make_node("Cast", [name + _SUFFIX], [name], name, to=onnx.TensorProto.FLOAT))
        nodes = [*widened, *graph.node]
        del graph.node[:]
        graph.node.extend(nodes)
