"""A limiter of the step from one sample in time to the next."""

from __future__ import annotations

import math
from collections.abc import Sequence

import keras

from kexport_layers._dense import in_precision, precision, require
from kexport_layers._types import Config, Contracts, Shape, Tensor

# Up to this many samples a signal of known length is unrolled: a loop costs more than the work in its body.
_LONGEST_UNROLLED = 128


@keras.saving.register_keras_serializable(package="kexport")
class RateLimiter(keras.layers.Layer):
    """Follows every channel of its input with a bounded step: `y[n] = y[n-1] + clip(x[n] - y[n-1], -step, step)`.

    The first sample passes: `y[0] = x[0]`. Astrom and Hagglund, Advanced PID control, 2006, section 3.3 (rate
    limitation). Computes in float32 under every dtype policy.

    Args:
        step: the largest change from one sample to the next, in units of the input.
        **kwargs: passed to `keras.layers.Layer`.

    Input shape:
        `(batch, time)` or `(batch, time, channels)`; batch and time may be dynamic.

    Output shape:
        As the input, float32.

    Raises:
        ValueError: the step is not positive, or the input has another rank.

    Example:
        >>> import numpy as np
        >>> layer = RateLimiter(step=1.0)
        >>> np.asarray(layer(np.array([[0, 3, 3, 3, 0]], "float32"))).tolist()
        [[0.0, 1.0, 2.0, 3.0, 2.0]]
    """

    def __init__(self, step: float, **kwargs: object) -> None:
        super().__init__(**kwargs)
        self.autocast = False  # else a mixed policy would round inputs and weights to half precision
        valid = isinstance(step, int | float) and math.isfinite(step) and step > 0
        require(self, valid, f"step must be a positive number; got {step!r}")
        self.step = float(step)

    def build(self, input_shape: Shape) -> None:
        """Check the rank of the input, and build the recurrence."""
        shape = tuple(input_shape)
        require(self, len(shape) in (2, 3), f"the input must be (batch, time) or (batch, time, channels); got {shape}")
        channels = (shape[2] if len(shape) == 3 else 1) or 0
        require(self, channels > 0, f"the number of channels must be fixed; got shape {shape}")
        cell = _Follower(channels, self.step, precision(self))
        self._follow = keras.layers.RNN(cell, return_sequences=True, dtype=precision(self))
        self._follow.build((shape[0], shape[1], channels))
        super().build(input_shape)

    def call(self, inputs: Tensor) -> Tensor:
        """Follow `(batch, time)` or `(batch, time, channels)`."""
        values = in_precision(self, inputs)
        if values.shape[1] is not None and values.shape[1] <= _LONGEST_UNROLLED:
            return self._unrolled(values)
        signal = keras.ops.expand_dims(values, -1) if len(values.shape) == 2 else values
        followed = self._follow(signal, initial_state=[signal[:, 0]])
        return keras.ops.squeeze(followed, -1) if len(values.shape) == 2 else followed

    def _unrolled(self, values: Tensor) -> Tensor:
        """The recurrence without a loop."""
        order = [1, 0, *range(2, len(values.shape))]
        samples = keras.ops.split(keras.ops.transpose(values, order), values.shape[1], axis=0)
        followed = samples[:1]
        for sample in samples[1:]:
            followed.append(_next(followed[-1], sample, self.step))
        return keras.ops.transpose(keras.ops.concatenate(followed, axis=0), order)

    def compute_output_spec(self, inputs: Tensor) -> Tensor:
        """Float32, whatever the dtype policy."""
        return keras.KerasTensor(inputs.shape, dtype=precision(self))

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        """The shape of the input."""
        return input_shape

    def contracts(self) -> Contracts:
        """Rate-limited and causal."""
        from kexport.contracts import Causal, RateLimited

        return [RateLimited(self.step), Causal()]

    def get_config(self) -> Config:
        """The constructor's arguments."""
        return {**super().get_config(), "step": self.step}


class _Follower(keras.layers.Layer):
    """One step of the recurrence."""

    def __init__(self, channels: int, step: float, dtype: str) -> None:
        super().__init__(dtype=dtype)
        self.state_size, self.output_size, self.step = channels, channels, step

    def call(
        self, inputs: Tensor, states: Sequence[Tensor], training: bool | None = None
    ) -> tuple[Tensor, list[Tensor]]:
        """The next sample, which is also the next state."""
        now = _next(states[0], inputs, self.step)
        return now, [now]


def _next(before: Tensor, sample: Tensor, step: float) -> Tensor:
    """The output sample that follows `before` for this input sample."""
    return before + keras.ops.clip(sample - before, -step, step)
