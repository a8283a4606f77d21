"""Associative scans: the shapes of the elements are kept, and one of unknown length is a loop.

Keras computes an axis in the graph, which loses the rank of the results: a layer that goes on with them could not be
traced. Where it does not know the length, it nests 48 branches in each other, which takes gigabytes to convert, and
compares sizes that are tensors, which fails for several elements. The loop combines each element with the one before
it, then with the one two before it, four, and so on.
Source: W. D. Hillis, G. L. Steele, Data parallel algorithms, Communications of the ACM 29 (1986);
keras.ops.associative_scan, whose results have the shapes of `elems`.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from kexport.factory.corrections._correction import Correction, Record
from kexport.runtimes.keras_model import Method, replaced

_Combine = Callable[[Sequence[Any], Sequence[Any]], Sequence[Any]]


@contextlib.contextmanager
def _active(record: Record) -> Iterator[None]:
    import keras

    with replaced(keras.src.backend.core, "associative_scan", _of_known_shapes):
        yield


def _of_known_shapes(original: Method) -> Method:
    def associative_scan(f: Any, elems: Any, reverse: bool = False, axis: int = 0) -> Any:
        import keras
        import tensorflow as tf

        flat = [tf.convert_to_tensor(element) for element in keras.tree.flatten(elems)]
        ranks = {element.shape.rank for element in flat}
        if None in ranks or any(element.shape[axis] is not None for element in flat):
            results = keras.tree.flatten(original(f, elems, reverse, axis))
        else:

            def combine(earlier: Sequence[Any], later: Sequence[Any]) -> Sequence[Any]:
                parts = (keras.tree.pack_sequence_as(elems, list(part)) for part in (earlier, later))
                return list(keras.tree.flatten(f(*parts)))

            given = [tf.reverse(element, [axis]) for element in flat] if reverse else flat
            results = _scanned(combine, given, axis)
            results = [tf.reverse(result, [axis]) for result in results] if reverse else results
        shaped = [
            tf.ensure_shape(result, element.shape) if result.shape.rank is None else result
            for result, element in zip(results, flat, strict=True)
        ]
        return keras.tree.pack_sequence_as(elems, shaped)

    return associative_scan


def _scanned(combine: _Combine, elements: Sequence[Any], axis: int) -> Sequence[Any]:
    """The scan of tensors along an axis of unknown length."""
    import tensorflow as tf

    length = tf.shape(elements[0])[axis]

    def part(x: Any, begin: Any, end: Any) -> Any:
        return x[(slice(None),) * (axis % x.shape.rank) + (slice(begin, end),)]

    def step(reach: Any, *reached: Any) -> tuple[Any, ...]:
        earlier = [part(x, 0, length - reach) for x in reached]
        later = [part(x, reach, length) for x in reached]
        combined = combine(earlier, later)
        first = [part(x, 0, reach) for x in reached]
        return reach * 2, *(tf.concat(pair, axis) for pair in zip(first, combined, strict=True))

    shapes = [tf.TensorShape([]), *(element.shape for element in elements)]
    _, *results = tf.while_loop(lambda reach, *_: reach < length, step, [1, *elements], shape_invariants=shapes)
    return results


CORRECTION = Correction("associative_scan", _active)
