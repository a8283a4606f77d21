"""Rounding errors inside a model: every operation that rounds is moved by one unit in the last place while it runs.

Nudged inputs and weights do not show all of a model's noise. Whole numbers and strings cannot be nudged; the mean of
equal numbers stays one of them, so that their variance is exactly zero; and what cancels inside has lost its noise
before it can be seen. So results of operations are moved too, each up or down at random (Monte Carlo arithmetic:
Parker, IEEE Computational Science and Engineering 2(4), 2000), and sums and means are computed in another order,
because that is what kernels differ in: one running sum in LiteRT's reference kernels, and some lanes in others.

TensorFlow calls a function back after each operation that it runs eagerly, but takes no other result from it: the
numbers are changed in place, in memory that nothing else holds yet.

The mean of equal numbers errs most where they stay equal: rounding errors then have one direction. So one draw changes
the order of sums alone, to that of some lanes which is farthest from the exact sum.
"""

from __future__ import annotations

import contextlib
import ctypes
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, Any

import numpy as np

from kexport.bundle.signature import Array
from kexport.factory.graph.inner_operations import every_operation
from kexport.factory.graph.protocols import Graph
from kexport.factory.trace.eager_functions import functions_run_eagerly
from kexport.factory.truth.tied_order import OF_ANY_ORDER, in_another_order
from kexport.factory.truth.transform_noise import TRANSFORMS, error_units
from kexport.factory.truth.variances import Variances

if TYPE_CHECKING:
    import tensorflow as tf

#: Sums are computed in so many lanes.
_LANES = (1, 4, 8, 16)
#: Of the last place, so that rounding makes a whole one of it for every significand.
_SHARE = 0.66
#: Numbers that are moved at a time: as many as stay in the cache.
_CHUNK = 1 << 14
_SAMPLE = 64
#: Trailing bits of the significand; a number that has none of them was most likely computed without rounding.
_TRAILING = {np.dtype("float64"): 24, np.dtype("float32"): 8, np.dtype("float16"): 3}
_UNSIGNED = {8: np.uint64, 4: np.uint32, 2: np.uint16}

_ELEMENTWISE = """
    Add AddV2 Sub Mul MulNoNan Div RealDiv DivNoNan Xdivy Xlogy Xlog1py Square SquaredDifference Sqrt Rsqrt Reciprocal
    Inv Exp Expm1 Log Log1p Sin Cos Tan Asin Acos Atan Atan2 Sinh Cosh Tanh Asinh Acosh Atanh Erf Erfc Erfinv Ndtri
    Lgamma Digamma Polygamma Zeta Igamma Igammac Betainc BesselI0 BesselI1 BesselI0e BesselI1e BesselJ0 BesselJ1 Sigmoid
    Softplus Softsign Elu Selu LeakyRelu Pow AddN AccumulateNV2 BiasAdd BiasAddV1 Softmax LogSoftmax Complex
    ComplexAbs Angle AdjustContrastv2 AdjustHue AdjustSaturation RGBToHSV HSVToRGB
"""
_SUMS = """
    Sum Prod EuclideanNorm L2Loss Cumsum Cumprod CumulativeLogsumexp SegmentSum SegmentProd UnsortedSegmentSum
    UnsortedSegmentProd SparseSegmentSum MatMul BatchMatMul BatchMatMulV2 BatchMatMulV3 Einsum Conv Conv1D Conv2D Conv3D
    DepthwiseConv2dNative Conv2DBackpropInput Conv3DBackpropInput Conv3DBackpropInputV2
    DepthwiseConv2dNativeBackpropInput
    ResizeBilinear ResizeBicubic ResizeArea ScaleAndTranslate CropAndResize ImageProjectiveTransformV2
    ImageProjectiveTransformV3
    Cholesky Qr Svd MatrixInverse MatrixSolve MatrixTriangularSolve MatrixDeterminant LogMatrixDeterminant Lu Eig
    SelfAdjointEig SelfAdjointEigV2 MatrixExponential MatrixSquareRoot TridiagonalSolve
"""
#: The divisor is rounded too, in some kernels: not even a whole number is surely exact.
NORMALISATIONS = frozenset(("FusedBatchNorm", "FusedBatchNormV2", "FusedBatchNormV3"))
_MEANS = f"Mean AvgPool AvgPool3D SegmentMean SparseSegmentMean LRN {' '.join(sorted(NORMALISATIONS))}"
#: Operations whose results are rounded.
ROUNDED = frozenset(f"{_ELEMENTWISE} {_SUMS} {_MEANS}".split()) | {*TRANSFORMS}
_NEVER_EXACT = frozenset(_MEANS.split())
#: Results below these are right to a unit in the last place of 1, not of their own: onnxruntime's logistic function is
#: a quotient of polynomials, 1.3e-7 off at most, 7e-5 of the result at -7 (measured); and below 0, `elu` and `selu` are
#: an exponential less 1, in TensorFlow too.
_OF_ONE_BELOW = {"Sigmoid": np.inf, "Elu": 0.0, "Selu": 0.0}
#: Sums and products whose zeros have either sign: what rewrites a graph drops `+ 0` and moves factors, and kernels fuse
#: both. Keras' argmax, an arctangent of two numbers and a quotient look at the sign.
_SIGNED_ZEROS = frozenset(("Add", "AddN", "AddV2", "BiasAdd", "MatMul", "Mul", "Sub"))
_MOST_OF_RESULT = 1 / 256  # a kernel that is farther off shows in what is computed from it, and is to be told
_OF_TENSORS = frozenset(("AddN", "AccumulateNV2"))
_ADDED = frozenset(("Sum", "Mean", *_OF_TENSORS))


def adds(graph: Graph) -> bool:
    """Whether a graph, or a function that it calls, has sums that are computed in another order here."""
    return any(op.type in _ADDED for op in every_operation(graph))


def in_every_operation(rng: np.random.Generator, draw: int) -> AbstractContextManager[None]:
    """Within the block, what TensorFlow runs eagerly in this thread has noise; functions are run eagerly too.

    Args:
        rng: draws the directions.
        draw: the number of the draw; sums are computed in another order in each.
    """
    return _called_back(_Noise(rng, (_LANES[draw % len(_LANES)],), moves=True))


def in_the_order_of_sums() -> AbstractContextManager[None]:
    """Within the block, sums are computed in that order of some which is farthest from the exact sum."""
    return _called_back(_Noise(np.random.default_rng(0), _LANES, moves=False))


def in_exact_sums() -> AbstractContextManager[None]:
    """Within the block, sums are rounded once; TensorFlow's own order may be the farthest from that."""
    return _called_back(_Noise(np.random.default_rng(0), (), moves=False))


@contextlib.contextmanager
def _called_back(noise: _Noise) -> Iterator[None]:
    from tensorflow.python.framework import op_callbacks

    callback = noise.after  # each look at a method makes another object, and TensorFlow wants the same one again
    with functions_run_eagerly():
        op_callbacks.add_op_callback(callback)
        try:
            yield
        finally:
            op_callbacks.remove_op_callback(callback)


class _Noise:
    def __init__(self, rng: np.random.Generator, lanes: Sequence[int], *, moves: bool) -> None:
        self._rng, self._lanes = rng, lanes
        self._names = ROUNDED if moves else _ADDED
        self._variances = Variances()
        self._moves = moves
        self._reordering = False  # TensorFlow calls back after the operations of a callback, too
        # Half of the numbers stay: the errors of rounding are as often below half a unit.
        self._signs = rng.choice(np.array([-1, 0, 0, 1], np.int8), 2 * _CHUNK)
        self._always = rng.choice(np.array([-1, 1], np.int8), 2 * _CHUNK)
        self._steps: dict[tuple[np.dtype[Any], bool], Array] = {}

    def after(
        self,
        op_type: str | bytes,
        inputs: Sequence[tf.Tensor],
        attrs: Sequence[object],
        outputs: Sequence[tf.Tensor],
        op_name: str | None = None,
        graph: object = None,
    ) -> None:
        """Called by TensorFlow after each operation."""
        name = op_type.decode() if isinstance(op_type, bytes) else op_type
        if graph is not None or self._reordering:
            return
        self._variances.see(name, inputs, outputs)
        if name in OF_ANY_ORDER and self._moves:
            self._break_ties(inputs, attrs, outputs)
        if name not in self._names:
            return
        for output in outputs:
            numbers = _in_memory(output)
            if numbers is None or any(map(_Held(numbers), inputs)):
                continue
            if name in _OF_TENSORS and inputs[0].dtype.is_floating:
                self._add_in_lanes(numbers, np.stack([each.numpy() for each in inputs]), [0])
            elif name in _ADDED and not inputs[0].dtype.is_complex:
                of_one = name == "Mean"
                self._add_in_lanes(numbers, inputs[0].numpy(), inputs[1].numpy(), inputs[0] if of_one else None)
            if name in TRANSFORMS:
                lengths = inputs[1].numpy() if "R" in name else output.shape[-TRANSFORMS[name] :]
                pairs = numbers if numbers.shape == output.shape else numbers.reshape(*output.shape, 2)
                pairs += error_units(name, pairs, lengths) * self._rng.choice([-1, 1], pairs.shape)
            elif self._moves:
                of_one_below = _OF_ONE_BELOW.get(name, -np.inf)
                self._move(numbers.reshape(-1), exactly=name not in _NEVER_EXACT, of_one_below=of_one_below)
                if name in _SIGNED_ZEROS:
                    self._sign_zeros(numbers.reshape(-1))

    def _break_ties(self, inputs: Sequence[tf.Tensor], attrs: Sequence[object], outputs: Sequence[tf.Tensor]) -> None:
        """Give an operation that takes equal scores in any order the result of another order; in place."""
        self._reordering = True
        try:
            others = in_another_order(self._rng, inputs, attrs)
        finally:
            self._reordering = False
        for output, other in zip(outputs, others, strict=True):
            numbers = _in_memory(output)
            if numbers is not None:
                numbers[...] = other

    def _add_in_lanes(
        self, result: Array, values: Array, over: Array | Sequence[int], averaged: tf.Tensor | None = None
    ) -> None:
        """Compute a sum in another order, or the mean of a tensor."""
        axes, mean = np.atleast_1d(over), averaged is not None
        if result.dtype.kind != "f" or not values.size or not axes.size:
            return
        summed = [int(axis) % values.ndim for axis in axes]
        kept = [axis for axis in range(values.ndim) if axis not in summed]
        count = int(np.prod([values.shape[axis] for axis in summed]))
        terms = values.transpose(kept + summed).reshape(-1, count)
        with np.errstate(all="ignore"):
            exact = terms.sum(axis=1, dtype=np.float64) / (count if mean else 1)
            share = terms.dtype.type(1 / count if mean else 1)
            orders = [_in_lanes(terms, lanes) * share for lanes in self._lanes]
            if mean and not self._moves:  # XNNPACK divides before it has added everything
                orders += [_in_lanes(terms * share, lanes) for lanes in self._lanes]
                orders += self._variances.in_one_pass(averaged, kept + summed, terms)
            total = _farthest(orders, exact) if orders else exact.astype(terms.dtype)
            result[...] = total.reshape(result.shape)

    def _move(self, numbers: Array, *, exactly: bool, of_one_below: float) -> None:
        """Move numbers by one unit in the last place, but for those that were computed exactly, where some are.

        Args:
            numbers: in a row; changed in place.
            exactly: whether the operation may have computed some exactly.
            of_one_below: results below it always move, by a unit of 1 where that is not much of the number.
        """
        steps = self._steps_for(numbers.dtype, always=not exactly)
        with np.errstate(all="ignore"):
            for first in range(0, numbers.size, _CHUNK):
                part = numbers[first : first + _CHUNK]
                start = int(self._rng.integers(_CHUNK))
                step = steps[start : start + part.size] * part
                if exactly and _exact(part[:_SAMPLE]).any():
                    step[_exact(part)] = 0.0
                if of_one_below > -np.inf:
                    units = np.minimum(1, part.dtype.type(_MOST_OF_RESULT) / np.finfo(part.dtype).eps * np.abs(part))
                    always = self._steps_for(part.dtype, always=True)[start : start + part.size]
                    step = np.where(part < of_one_below, always * units, step)
                part += step

    def _sign_zeros(self, numbers: Array) -> None:
        """Give zeros a sign at random; in place."""
        places = np.flatnonzero(numbers == 0)
        if places.size:
            signs = self._rng.choice(np.array([-1, 1], numbers.dtype), places.size)
            numbers[places] = np.copysign(numbers[places], signs)

    def _steps_for(self, dtype: np.dtype[Any], *, always: bool) -> Array:
        if (dtype, always) not in self._steps:
            unit = dtype.type(np.finfo(dtype).eps * _SHARE)
            self._steps[dtype, always] = (self._always if always else self._signs).astype(dtype) * unit
        return self._steps[dtype, always]


def _exact(numbers: Array) -> Array:
    """Which numbers other than zero have a short significand."""
    bits = numbers.view(_UNSIGNED[numbers.dtype.itemsize])
    return np.asarray(((bits & bits.dtype.type((1 << _TRAILING[numbers.dtype]) - 1)) == 0) & (numbers != 0))


def _in_lanes(terms: Array, lanes: int) -> Array:
    """The sum of each row in so many running sums, in the dtype of the terms."""
    if pad := -terms.shape[1] % lanes:
        terms = np.pad(terms, ((0, 0), (0, pad)))
    sums = np.add.accumulate(terms.reshape(len(terms), -1, lanes), axis=1, dtype=terms.dtype)[:, -1]
    return np.asarray(np.add.accumulate(sums, axis=1, dtype=terms.dtype)[:, -1])


def _farthest(sums: Sequence[Array], exact: Array) -> Array:
    """Of several sums of each row the one that is farthest from the exact one."""
    stacked = np.stack(sums)
    return np.asarray(stacked[np.abs(stacked - exact).argmax(axis=0), np.arange(stacked.shape[1])])


class _Held:
    """Whether a tensor shares the memory of an array, as the result of an operation may that had nothing to do."""

    def __init__(self, numbers: Array) -> None:
        self._numbers = numbers

    def __call__(self, tensor: tf.Tensor) -> bool:
        held: object = tensor._numpy() if tensor.dtype.is_floating or tensor.dtype.is_complex else None
        return isinstance(held, np.ndarray) and held.size > 0 and bool(np.may_share_memory(held, self._numbers))


def _in_memory(tensor: Any) -> Array | None:
    """The memory of a tensor of real or complex numbers as real ones, to write into; None of any other tensor."""
    if tensor.dtype.name not in ("float64", "float32", "float16", "complex64", "complex128"):
        return None
    numbers = tensor._numpy()
    if not isinstance(numbers, np.ndarray):  # one number: TensorFlow gives it away as a copy
        address = np.asarray(memoryview(tensor)).__array_interface__["data"][0]
        size = np.dtype(tensor.dtype.as_numpy_dtype).itemsize
        raw = (ctypes.c_char * size).from_address(address)
        numbers = np.frombuffer(raw, tensor.dtype.as_numpy_dtype)
    if not numbers.flags.writeable or not numbers.flags.c_contiguous or not numbers.size:
        return None
    return numbers.view(numbers.real.dtype) if numbers.dtype.kind == "c" else numbers
