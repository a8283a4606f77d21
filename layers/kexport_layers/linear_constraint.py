"""The nearest output that satisfies linear constraints."""

from __future__ import annotations

from collections.abc import Sequence

import keras
import numpy as np

from kexport_layers._dense import in_precision, precision, require
from kexport_layers._types import Array, Config, Contracts, Shape, Tensor

_WAYS = "A and b (A y = b), low and high (a box), or a and at_most (a y <= at_most)"
_TOLERANCE = 1e-9  # of the right-hand side: beyond it equations contradict each other


@keras.saving.register_keras_serializable(package="kexport")
class LinearConstraint(keras.layers.Layer):
    """Projects the last axis onto the points that satisfy one of three kinds of linear constraint.

    - `A`, `b`: the solutions of `A y = b`, by `y = x - A+ (A x - b)` with the pseudo-inverse `A+`;
    - `low`, `high`: a box;
    - `a`, `at_most`: the half-space `a y <= at_most`, by `y = x - max(0, a x - at_most) a / |a|^2`.

    The output is the nearest such point: Boyd and Vandenberghe, Convex optimization, 2004, section 8.1. For
    several kinds at once there is no such closed form, so they are refused. Computes in float32 under every dtype
    policy.

    Args:
        A: rows of a matrix of shape (equations, features).
        b: the right-hand side, one number per equation.
        low: the lower bound, one number or one per feature; None for no bound.
        high: the upper bound, likewise.
        a: one number per feature.
        at_most: the bound of `a y`.
        **kwargs: passed to `keras.layers.Layer`.

    Input shape:
        `(batch, ..., features)`.

    Output shape:
        As the input, float32.

    Raises:
        ValueError: none of the kinds is given, or several; a number is not finite; shapes do not fit each other or the
            input; the equations contradict each other; the box is empty; `a` is 0.

    Example:
        >>> import numpy as np
        >>> layer = LinearConstraint(A=[[1, 1]], b=[4])
        >>> np.asarray(layer(np.array([[1.0, 1.0]], "float32"))).round(5).tolist()
        [[2.0, 2.0]]
    """

    def __init__(
        self,
        A: Sequence[Sequence[float]] | None = None,  # noqa: N803  (its name in mathematics)
        b: Sequence[float] | None = None,
        low: float | Sequence[float] | None = None,
        high: float | Sequence[float] | None = None,
        a: Sequence[float] | None = None,
        at_most: float | None = None,
        **kwargs: object,
    ) -> None:
        super().__init__(**kwargs)
        self.autocast = False  # else a mixed policy would round the inputs to half precision
        numbers = {"A": A, "b": b, "low": low, "high": high, "a": a, "at_most": at_most}
        named = {name for name, value in numbers.items() if value is not None}
        plane, box, half = named == {"A", "b"}, bool(named) and named <= {"low", "high"}, named == {"a", "at_most"}
        got = f"got {', '.join(sorted(named)) or 'nothing'}"
        require(self, plane or box or half, f"give one kind of constraint, {_WAYS}; {got}")
        arrays = {name: np.asarray(value, np.float64) for name, value in numbers.items() if value is not None}
        finite = all(np.isfinite(each).all() for each in arrays.values())
        require(self, finite, f"every number must be finite; got {numbers}")
        self._arrays = arrays
        if plane:
            self._plane(arrays["A"], arrays["b"])
        elif box:
            self._box(arrays)
        else:
            self._half(arrays["a"], arrays["at_most"])
        self._kind = "plane" if plane else "box" if box else "half"

    def _plane(self, matrix: Array, right: Array) -> None:
        fits = matrix.ndim == 2 and matrix.size > 0 and right.shape == matrix.shape[:1]
        require(
            self, fits, f"A must be a matrix and b have one number per row; got shapes {matrix.shape} and {right.shape}"
        )
        inverse = np.linalg.pinv(matrix)
        point = inverse @ right
        off = np.abs(matrix @ point - right).max()
        require(
            self,
            off <= _TOLERANCE * max(1.0, np.abs(right).max()),
            f"the equations contradict each other, by {off:.3g}",
        )
        self._features = matrix.shape[1]
        self._kept = (np.eye(self._features) - inverse @ matrix).T
        self._point = point

    def _box(self, arrays: dict[str, Array]) -> None:
        shapes = {each.shape for each in arrays.values() if each.ndim}
        fits = len(shapes) <= 1 and all(len(shape) == 1 for shape in shapes)
        require(self, fits, "low and high must be numbers, or vectors of one length")
        if len(arrays) == 2:
            require(self, bool((arrays["low"] <= arrays["high"]).all()), "the box is empty: low lies above high")
        self._features = next(iter(shapes))[0] if shapes else None

    def _half(self, normal: Array, most: Array) -> None:
        fits = normal.ndim == 1 and most.ndim == 0 and bool(normal.any())
        require(self, fits, f"a must be a vector other than 0, and at_most a number; got shape {normal.shape}")
        self._features = len(normal)

    def build(self, input_shape: Shape) -> None:
        """Check the number of features."""
        fits = len(input_shape) >= 2 and self._features in (None, input_shape[-1])
        require(self, fits, f"the input must have {self._features} features; got shape {tuple(input_shape)}")
        super().build(input_shape)

    def call(self, inputs: Tensor) -> Tensor:
        """Project `(batch, ..., features)`."""
        values = in_precision(self, inputs)
        if self._kind == "plane":
            return keras.ops.matmul(values, self._as(values, self._kept)) + self._as(values, self._point)
        if self._kind == "box":
            if "low" in self._arrays:
                values = keras.ops.maximum(values, self._as(values, self._arrays["low"]))
            return (
                values
                if "high" not in self._arrays
                else keras.ops.minimum(values, self._as(values, self._arrays["high"]))
            )
        normal = self._arrays["a"]
        column = self._as(values, normal[:, None])
        # As a vector of one element, the runtimes treat it as a bias.
        level = self._as(values, -self._arrays["at_most"][None])
        beyond = keras.ops.relu(keras.ops.matmul(values, column) + level)
        return values - beyond * self._as(values, normal / (normal @ normal))

    @staticmethod
    def _as(values: Tensor, constant: Array) -> Array:
        """The constant in the dtype of the values."""
        return np.asarray(constant, keras.backend.standardize_dtype(values.dtype))

    def compute_output_spec(self, inputs: Tensor) -> Tensor:
        """Float32, whatever the dtype policy."""
        return keras.KerasTensor(inputs.shape, dtype=precision(self))

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        """The shape of the input."""
        return input_shape

    def contracts(self) -> Contracts:
        """The constraint."""
        from kexport.contracts import Bounded, Satisfies

        arrays = self._arrays
        if self._kind == "plane":
            return [Satisfies(arrays["A"].tolist(), arrays["b"].tolist())]
        if self._kind == "half":
            return [Satisfies((arrays["a"].tolist(),), (arrays["at_most"].tolist(),), "at_most")]
        if not any(each.ndim for each in arrays.values()):
            low, high = (float(arrays[name]) if name in arrays else None for name in ("low", "high"))
            return [Bounded(low, high)]
        sides = [(sign, arrays[name]) for sign, name in ((-1.0, "low"), (1.0, "high")) if name in arrays]
        rows = [sign * np.eye(self._features or 0) for sign, _ in sides]
        ends = [sign * np.broadcast_to(bound, (self._features or 0,)) for sign, bound in sides]
        return [Satisfies(np.concatenate(rows).tolist(), np.concatenate(ends).tolist(), "at_most")]

    def get_config(self) -> Config:
        """The constructor's arguments."""
        names = ("A", "b", "low", "high", "a", "at_most")
        numbers = {name: self._arrays[name].tolist() if name in self._arrays else None for name in names}
        return {**super().get_config(), **numbers}
