"""The tensors of a TFLite file, and the buffers that hold their data."""

from __future__ import annotations

import itertools
import math
import struct
from collections.abc import Sequence

from kexport.runtimes.soundness import tflite_schema as schema
from kexport.runtimes.soundness.flatbuffer import Flatbuffer, Value, integer, numbers
from kexport.runtimes.soundness.flaw import FlawError
from kexport.runtimes.soundness.tflite_schema import Quantization, TensorRow
from kexport.runtimes.soundness.tflite_sparsity import SparsityReader

_MOST_AXES = 16
_LARGEST = 1 << 28  # elements: the runtime allocates what a file declares
_INFINITY = 0x7F800000
_ZERO_POINTS = {schema.UINT8: (0, 255), schema.INT8: (-128, 127), schema.INT16: (-32768, 32767)}


class TensorReader:
    """Reads tensors.

    Args:
        buffer: the file.
        buffers: the positions of the tables of its buffers.
    """

    def __init__(self, buffer: Flatbuffer, buffers: Sequence[int]) -> None:
        self.buffer = buffer
        self.spans = [self._span(index, position) for index, position in enumerate(buffers)]

    def _span(self, index: int, position: int) -> tuple[int, int] | None:
        """Start and size of the data of a buffer; None where it has none."""
        data, offset, size = self.buffer.read(position, schema.BUFFER)
        span = numbers(data)
        if integer(offset) > 1:  # 1 stands for none; the data of large files follows the tables
            span = integer(offset), integer(size)
        if span and sum(span) > self.buffer.size:
            raise FlawError(f"the end of buffer {index}", sum(span), f"at most {self.buffer.size}")
        return (span[0], span[1]) if span and span[1] else None

    def row(self, place: str, position: int) -> TensorRow:
        """A tensor, checked by itself."""
        shape, kind, buffer, _, quantization, variable, sparsity, dynamic, _, variants, external = self.buffer.read(
            position, schema.TENSOR
        )
        sizes, number, index = numbers(shape), integer(kind), integer(buffer)
        if not 0 <= number < len(schema.BITS):
            raise FlawError(f"the type of {place}", number, "a type of the schema")
        if not 0 <= index < len(self.spans):
            raise FlawError(f"the buffer of {place}", index, f"one of {len(self.spans)}")
        if external:
            raise FlawError(f"the data of {place}", "in another file", "in this file")
        _check_sizes(place, sizes, dynamic)
        constant = self.spans[index]
        if constant and not sparsity:
            self._check_data(place, sizes, number, constant)
        if sparsity:
            stored = SparsityReader(self.buffer, place, sizes).stored(integer(sparsity))
            self._check_data(place, (stored,), number, constant or (0, 0))
        for variant in numbers(variants):
            self.buffer.read(variant, schema.VARIANT)
        return TensorRow(
            sizes,
            number,
            index,
            constant,
            bool(variable),
            bool(sparsity),
            self._quantization(place, quantization, sizes, number),
        )

    def _check_data(self, place: str, sizes: Sequence[int], number: int, span: tuple[int, int]) -> None:
        if number == schema.STRING:
            self._check_strings(place, math.prod(sizes), span)
            return
        needed = (math.prod(sizes) * schema.BITS[number] + 7) // 8
        if any(size < 0 for size in sizes) or needed > span[1]:
            raise FlawError(
                f"the data of {place}", f"{span[1]} bytes", f"{schema.TYPE_NAMES[number]} of shape {tuple(sizes)}"
            )

    def _check_strings(self, place: str, count: int, span: tuple[int, int]) -> None:
        """Strings are stored as their number, the offset of each and of the end, and their bytes."""
        start, size = span
        stored = struct.unpack_from("<i", self.buffer.content, start)[0] if size >= 4 else -1
        if stored < 0 or 4 * (stored + 2) > size or stored < count:
            raise FlawError(f"the strings of {place}", stored, f"{count} within {size} bytes")
        offsets = self.buffer.words((start + 4, stored + 1), "i")
        ordered = all(low <= high for low, high in itertools.pairwise(offsets))
        if not ordered or offsets[0] < 4 * (stored + 2) or offsets[-1] > size:
            raise FlawError(f"the strings of {place}", "offsets out of order or range", f"within {size} bytes")

    def _quantization(self, place: str, value: Value, sizes: Sequence[int], type_: int) -> Quantization | None:
        if value is None:
            return None
        _, _, scale, zero_point, number, details, axis = self.buffer.read(integer(value), schema.QUANTIZATION)
        if number:
            layout = schema.DETAILS.get(integer(number))
            if layout is None or details is None:
                raise FlawError(f"the quantization of {place}", f"details {number}", "a type of the schema")
            self.buffer.read(integer(details), layout)
            return Quantization(
                0, 0, integer(axis), 0.0
            )  # the scales lie elsewhere; most kernels follow a null pointer
        scales, zero_points = (numbers(span)[1] if span else 0 for span in (scale, zero_point))
        if not scales:
            return None
        if zero_points not in (scales, 1, 0):
            raise FlawError(f"the quantization of {place}", f"{zero_points} zero points", f"{scales}, one a scale")
        along = integer(axis)
        if scales > 1 and not (0 <= along < len(sizes) and sizes[along] == scales):
            raise FlawError(
                f"the quantization of {place}", f"{scales} scales along axis {along}", f"shape {tuple(sizes)}"
            )
        first = self.buffer.array(scale, "<f4")
        # As whole numbers, floats that are negative or not finite are the largest; one look is enough for thousands.
        if first.view("<u4").max() >= _INFINITY:
            raise FlawError(f"the quantization of {place}", "a scale that is none", "finite ones, from 0")
        points = self.buffer.array(zero_point, "<i8")
        if points.any():
            least, most = _ZERO_POINTS.get(type_, (-math.inf, math.inf))
            if points.min() < least or points.max() > most:
                got = f"zero points from {points.min()} to {points.max()}"
                raise FlawError(f"the quantization of {place}", got, f"from {least} to {most}")
        return Quantization(scales, zero_points, along, float(first[0]))


def _check_sizes(place: str, sizes: Sequence[int], dynamic: Value) -> None:
    if len(sizes) > _MOST_AXES:
        raise FlawError(f"the shape of {place}", f"{len(sizes)} axes", f"at most {_MOST_AXES}")
    if sizes and (min(sizes) < -1 or math.prod([abs(size) or 1 for size in sizes]) > _LARGEST):
        raise FlawError(f"the shape of {place}", tuple(sizes), f"sizes from 0, at most {_LARGEST} elements")
    if isinstance(dynamic, tuple) and dynamic:
        fits = len(dynamic) == len(sizes) and all(d in (-1, size) for d, size in zip(dynamic, sizes, strict=True))
        if not fits:
            raise FlawError(f"the shape signature of {place}", dynamic, f"{tuple(sizes)}, with -1 where it varies")
