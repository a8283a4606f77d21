"""Filters in float32 that the tests of contracts look at."""

import numpy as np


def fir(taps, advance=0):
    """`y[n] = sum over k of taps[k] x[n + advance - k]` along axis 1, as a running sum in float32."""
    taps = np.asarray(taps, np.float32)

    def call(x):
        size = len(taps)
        padded = np.pad(x, [(0, 0), (size, size), *[(0, 0)] * (x.ndim - 2)])
        y = np.zeros_like(x)
        for k, tap in enumerate(taps):
            y += tap * padded[:, size + advance - k : size + advance - k + x.shape[1]]
        return y

    return call


def one_off(taps, place, share=1.01):
    """The taps with one of them off."""
    return [tap * (share if k == place else 1) for k, tap in enumerate(taps)]
