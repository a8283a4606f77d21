"""Copies of what a loop passes on from one of its values to a later one, as in `a, b = a + b, a`.

Such a result of the body is one of its operands. TFLite's interpreter copies results to operands in their order, and an
earlier one has been written over by then: b would be the new a.
Source: `kernels/while.cc` of LiteRT, `CopyTensorsData`; seen with ai-edge-litert 2.3.0.
"""

from __future__ import annotations

from kexport.factory.formats._tflite_model import FlatGraph, FlatModel, copy_of
from kexport.runtimes.files import tflite


def keep_what_loops_pass_on(model: FlatModel) -> None:
    """Insert a copy of each operand of a loop's body that is a result of it behind its own place."""
    bodies = {
        operator.builtinOptions.bodySubgraphIndex
        for graph in model.subgraphs
        for kind, operator in tflite.operators_of(model, graph)
        if kind == "WHILE"
    }
    for body in sorted(bodies):
        _copy_passed_on(model, model.subgraphs[body])


def _copy_passed_on(model: FlatModel, body: FlatGraph) -> None:
    results, copies = [int(tensor) for tensor in body.outputs], []
    for place, tensor in enumerate(results):
        if tensor in map(int, body.inputs[:place]):
            copying, results[place] = copy_of(model, body, tensor)
            copies.append(copying)
    if copies:
        body.outputs, body.operators = results, [*copies, *(body.operators or ())]
