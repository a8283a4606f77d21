"""What tensors of sizes hold, where a graph computes them from shapes: numbers, and axes of other tensors."""

from __future__ import annotations

from kexport.factory.graph.protocols import Tensor

#: A number, or a name that equal sizes share: a tensor, and an axis of it.
Size = int | tuple[str, int]

_SHAPELESS = ("Identity", "Cast", "Neg", "Abs")  # their output has the input's shape, whatever it is


def sizes_of(x: Tensor) -> list[Size]:
    """Each size of a tensor of a known number of axes."""
    import tensorflow as tf

    source = x.op
    if source.type in _SHAPELESS:
        inner = sizes_of(source.inputs[0])
    elif source.type == "Transpose" and tf.get_static_value(source.inputs[1]) is not None:
        sizes = sizes_of(source.inputs[0])
        inner = [sizes[axis] for axis in tf.get_static_value(source.inputs[1])]
    else:
        inner = [(x.name, axis) for axis in range(x.shape.rank)]
    return [name if size is None else size for name, size in zip(inner, x.shape.as_list(), strict=True)]


def sizes_in(vector: Tensor) -> list[Size] | None:
    """Each element of a vector of sizes; None where they are not known."""
    import tensorflow as tf

    value, source = tf.get_static_value(vector), vector.op
    if value is not None:
        return [int(size) for size in value.ravel()]
    if source.type == "Shape" and source.inputs[0].shape.rank is not None:
        return sizes_of(source.inputs[0])
    if source.type in ("Identity", "Cast"):
        return sizes_in(source.inputs[0])
    if source.type == "GatherV2":
        elements, places = sizes_in(source.inputs[0]), tf.get_static_value(source.inputs[1])
        return None if elements is None or places is None else [elements[place] for place in places.ravel()]
    if source.type in ("ConcatV2", "Pack"):
        parts = [sizes_in(part) for part in source.inputs[: source.get_attr("N")]]
        return None if None in parts else [size for part in parts for size in part or ()]
    return None
