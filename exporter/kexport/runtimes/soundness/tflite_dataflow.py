"""Whether the tensors of a subgraph are computed before they are used, once, and nothing else is written.

The interpreter lays out memory by what operators name as their outputs: a tensor that none computes has none. Variables
have memory of their own; an operator that selects between values may set a state of an LSTM before anything uses it.
"""

from __future__ import annotations

from kexport.runtimes.soundness.flaw import FlawError
from kexport.runtimes.soundness.tflite_schema import SubgraphRows
from kexport.runtimes.soundness.tflite_states import SETTING, is_laid_out, settable_states
from kexport.runtimes.soundness.tflite_types import takes_sizes


def check_dataflow(subgraph: SubgraphRows, *, main: bool = True) -> None:
    """Raise `FlawError` where a tensor is read before it exists, or written where it must not be.

    Args:
        subgraph: the subgraph.
        main: whether its inputs are those of the file, whose sizes are known before a call.
    """
    place, tensors = subgraph.place, subgraph.tensors
    given = set(subgraph.inputs)
    if len(given) != len(subgraph.inputs):
        raise FlawError(f"the inputs of {place}", f"tensors {subgraph.inputs}", "each once")
    for tensor in given:
        if tensors[tensor].constant or tensors[tensor].variable:
            raise FlawError(f"an input of {place}", f"tensor {tensor}, which has a value", "one without")
    written = given | {index for index, tensor in enumerate(tensors) if tensor.constant or tensor.variable}
    settable = settable_states(subgraph)
    known = set(given) if main else set()
    empty = {index for index, tensor in enumerate(tensors) if 0 in tensor.shape}  # as constants, they have no data
    for number, operator in enumerate(subgraph.operators):
        where = f"operator {number} of {place} ({operator.name})"
        settable -= set(operator.inputs)
        for index, tensor in enumerate(operator.inputs):
            if tensor < 0 or tensor in written:
                continue
            nothing = bool(operator.outputs) and empty.issuperset(operator.outputs)  # of which no element is computed
            if tensor not in empty or not (nothing or takes_sizes(operator, index)):
                raise FlawError(f"an input of {where}", f"tensor {tensor}, not yet computed", "a computed one")
        laid_out = is_laid_out(operator, subgraph, known)
        for tensor in operator.outputs:
            sets = tensor in settable and operator.name == SETTING and laid_out
            if tensor in written and not sets:
                raise FlawError(f"an output of {where}", f"tensor {tensor}, which has a value", "a new one")
            written.add(tensor)
            settable.discard(tensor)
            if laid_out:
                known.add(tensor)
    for tensor in subgraph.outputs:
        if tensor not in written and tensor not in empty:
            raise FlawError(f"an output of {place}", f"tensor {tensor}, never computed", "a computed one")
