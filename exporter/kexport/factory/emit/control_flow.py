"""Emits the loops and branches of a traced graph, with their bodies."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Protocol

from kexport.bundle.signature import Array
from kexport.factory.emit import reserved_lists
from kexport.factory.emit.known_values import counts_steps, invariant, known
from kexport.factory.graph.protocols import ConcreteFunction, DType, Operation, Shape, Tensor
from kexport.factory.graph.tensor_lists import BRANCHES, LOOPS, Reserved

#: Emits the outputs of a function for its inputs; a prefix precedes the names of its operations.
Body = Callable[[Sequence[Tensor], str], list[Tensor]]

__all__ = ["BRANCHES", "LOOPS", "BodyEmitter", "branch", "loop"]


class ArgumentSpec(Protocol):
    """Shape and dtype of an argument of a function (`tf.TensorSpec`)."""

    shape: Shape
    dtype: DType


class BodyEmitter(reserved_lists.Emitter, Protocol):
    """Emits the operations of a graph, and copies of loops with other functions."""

    def copy(
        self, op: Operation, inputs: Sequence[Tensor], changed: Mapping[str, object], dtypes: Sequence[DType]
    ) -> list[Tensor]:
        """The operation with other inputs, some other attributes, and outputs of these dtypes."""


def branch(emitter: BodyEmitter, op: Operation, inputs: Sequence[Tensor | Reserved]) -> list[Tensor]:
    """The outputs of a choice between functions, its first input saying which."""
    if op.type.endswith("Case"):
        bodies = [_body(emitter, function.name) for function in op.get_attr("branches")]
    else:
        bodies = [_body(emitter, op.get_attr(f"{side}_branch").name) for side in ("then", "else")]
    given = reserved_lists.dense(emitter, op, inputs)
    which = known(given[:1]).get(0)
    if which is not None:
        taken = _taken(op, int(which), len(bodies))
        return bodies[taken](given[1:], f"{emitter.prefix}{op.name}/")
    values = known(given[1:])
    bodies = [_knowing(body, values) for body in bodies]
    if op.type.endswith("Case"):
        return _cases(emitter, op.name, bodies, 0)(given, emitter.prefix)
    return _either(emitter, op.name, bodies, given, emitter.prefix)


def _taken(op: Operation, value: int, count: int) -> int:
    """The place of the branch for a value of the first input; the others may not even fit the shapes."""
    if not op.type.endswith("Case"):
        return 0 if value else 1
    return value if 0 <= value < count else count - 1


def _either(
    emitter: BodyEmitter, name: str, bodies: Sequence[Body], inputs: Sequence[Tensor], prefix: str
) -> list[Tensor]:
    """The first body's outputs where the first input is true, else the second's."""
    import tensorflow as tf

    specs = _specs(inputs[1:])
    branches = [_function(emitter, body, specs, prefix) for body in bodies]
    dtypes = [tensor.dtype for tensor in branches[0].outputs]
    pairs = zip(*(each.outputs for each in branches), strict=True)
    shapes = [one.shape.most_specific_compatible_shape(other.shape) for one, other in pairs]
    attrs = {
        "then_branch": _function_named(branches[0]),
        "else_branch": _function_named(branches[1]),
        "Tin": _types(spec.dtype for spec in specs),
        "Tout": _types(dtypes),
        "output_shapes": _shapes(shapes),
    }
    graph = tf.compat.v1.get_default_graph()
    made = graph.create_op("StatelessIf", list(inputs), dtypes, name=prefix + name, attrs=attrs)
    for output, shape in zip(made.outputs, shapes, strict=True):
        output.set_shape(shape)
    return list(made.outputs)


def _cases(emitter: BodyEmitter, name: str, bodies: Sequence[Body], first: int) -> Body:
    """A choice among several as choices between two: the last is for every number that no other has."""
    import tensorflow as tf

    if first == len(bodies) - 1:
        return lambda inputs, prefix: bodies[first](inputs[1:], prefix)

    def chosen(inputs: Sequence[Tensor], prefix: str) -> list[Tensor]:
        with tf.name_scope(f"{prefix}{name}/"):
            here = tf.equal(inputs[0], first)
        this = lambda given, inner: bodies[first](given[1:], inner)  # noqa: E731  a body like the other
        others = _cases(emitter, name, bodies, first + 1)
        return _either(emitter, name, [this, others], [here, *inputs], prefix)

    return chosen


def loop(emitter: BodyEmitter, op: Operation, inputs: Sequence[Tensor | Reserved]) -> list[Tensor]:
    """The outputs of a loop, whose variables keep the shapes that its body keeps."""
    import tensorflow as tf

    variables = reserved_lists.dense(emitter, op, inputs)
    source, condition_name = emitter.body(op.get_attr("body").name), op.get_attr("cond").name
    values = invariant(source, known(variables))
    compute = _knowing(_body(emitter, op.get_attr("body").name), values, giving_back=True)
    test = _knowing(_body(emitter, condition_name), values)
    uncounted = not counts_steps(source, emitter.body(condition_name), known(variables))
    counted = not uncounted and bool(op.outputs[0].consumers())
    if uncounted:  # tf2onnx takes the first two variables of any loop for the count of its steps and their limit
        variables = [tf.constant(0), tf.constant(-1), *variables]
        compute, test = _counting_first(compute), _past_the_first(test)
    elif counted:  # ONNX has the count of the steps, and their limit, inside of a loop only
        variables, compute, test = [*variables, variables[0]], _counting(compute), _not_counting(test)
    specs = _specs(variables)
    while True:
        body = _function(emitter, compute, specs, emitter.prefix)
        kept = [
            tf.TensorSpec(spec.shape.most_specific_compatible_shape(tensor.shape), spec.dtype)
            for spec, tensor in zip(specs, body.outputs, strict=True)
        ]
        if all(_same(old.shape, new.shape) for old, new in zip(specs, kept, strict=True)):
            break
        specs = kept
    condition = _function(emitter, test, specs, emitter.prefix)
    changed = {
        "body": _function_named(body),
        "cond": _function_named(condition),
        "T": _types(spec.dtype for spec in specs),
        "output_shapes": _shapes(spec.shape for spec in specs),
    }
    outputs = emitter.copy(op, variables, changed, [spec.dtype for spec in specs])
    if uncounted:
        return outputs[2:]
    return [outputs[-1], variables[1], *outputs[2:-1]] if counted else outputs


def _knowing(body: Body, values: Mapping[int, Array], giving_back: bool = False) -> Body:
    """A body with constants in place of some of its inputs; as the body of a loop it gives these inputs back."""
    import tensorflow as tf

    def computed(inputs: Sequence[Tensor], prefix: str) -> list[Tensor]:
        if not values:
            return body(inputs, prefix)
        with tf.name_scope(prefix):
            constants = {place: tf.constant(value, inputs[place].dtype) for place, value in values.items()}
        outputs = body([constants.get(place, tensor) for place, tensor in enumerate(inputs)], prefix)
        return [inputs[place] if giving_back and place in values else tensor for place, tensor in enumerate(outputs)]

    return computed


def _counting(body: Body) -> Body:
    """A body whose last variable is what its first is."""

    def counted(inputs: Sequence[Tensor], prefix: str) -> list[Tensor]:
        outputs = body([inputs[-1], *inputs[1:-1]], prefix)
        return [*outputs, outputs[0]]

    return counted


def _not_counting(condition: Body) -> Body:
    return lambda inputs, prefix: condition([inputs[-1], *inputs[1:-1]], prefix)


def _counting_first(body: Body) -> Body:
    """A body with two variables before its own: a count of the steps, and their limit."""

    def counted(inputs: Sequence[Tensor], prefix: str) -> list[Tensor]:
        return [inputs[0] + 1, inputs[1], *body(inputs[2:], prefix)]

    return counted


def _past_the_first(condition: Body) -> Body:
    return lambda inputs, prefix: condition(inputs[2:], prefix)


def _body(emitter: BodyEmitter, name: str) -> Body:
    """What emits a function of the library."""
    graph = emitter.body(name)
    return lambda inputs, prefix: emitter.inside(graph, inputs, prefix, graph.outputs)


def _function(emitter: BodyEmitter, body: Body, specs: Sequence[ArgumentSpec], prefix: str) -> ConcreteFunction:
    """A concrete function of a body, emitted for inputs of these specs.

    In ONNX a body sees the names of what is around it, so none may be used twice.
    """
    import tensorflow as tf

    place = emitter.unique()
    named = [tf.TensorSpec(spec.shape, spec.dtype, f"{place}_{index}") for index, spec in enumerate(specs)]
    compute = tf.function(lambda *inputs: body(inputs, f"{prefix}{place}/"), autograph=False)
    return compute.get_concrete_function(*named)


def _specs(tensors: Sequence[Tensor]) -> list[ArgumentSpec]:
    import tensorflow as tf

    return [tf.TensorSpec(tensor.shape, tensor.dtype) for tensor in tensors]


def _same(one: Shape, other: Shape) -> bool:
    """Whether two static shapes are equal, unknown sizes included."""
    if one.rank is None or other.rank is None:
        return one.rank is other.rank
    return one.as_list() == other.as_list()


def _function_named(function: ConcreteFunction) -> object:
    """The attribute value that names a function, which is added to the current graph's library."""
    import tensorflow as tf
    from tensorflow.core.framework import attr_value_pb2

    function.add_to_graph(tf.compat.v1.get_default_graph())
    value = attr_value_pb2.AttrValue()
    value.func.name = function.name
    return value


def _types(dtypes: Iterable[DType]) -> object:
    from tensorflow.core.framework import attr_value_pb2

    value = attr_value_pb2.AttrValue()
    value.list.type.extend(dtype.as_datatype_enum for dtype in dtypes)
    return value


def _shapes(shapes: Iterable[Shape]) -> object:
    from tensorflow.core.framework import attr_value_pb2

    value = attr_value_pb2.AttrValue()
    value.list.shape.extend(shape.as_proto() for shape in shapes)
    return value
