"""Curves of the output along single elements of an input, for people to look at."""

from __future__ import annotations

import numpy as np

from kexport.bundle.json_text import Json
from kexport.bundle.signature import Array
from kexport.contracts.filters.signals import ends
from kexport.contracts.protocol import Experiment

_POINTS = 33
_MOST = 4  # curves


def sweeps(experiment: Experiment, name: str, ways: Array) -> list[Json]:
    """The first element of the output while one element of an input goes from end to end, the others as in one sample.

    Args:
        experiment: the function and the domains of its inputs.
        name: of the input.
        ways: 0 for elements of the last axis that are left out.

    Returns:
        For the first few elements of the input: its name as `element`, its values as `x`, those of the output as `y`.
    """
    function, space = experiment.function, experiment.space
    form = space.forms[0]
    sample = space.random(np.random.default_rng(0), 1, form)
    shape = form[name]
    low, high = (np.asarray(each, np.float64).reshape(-1) for each in ends(space, name, shape))
    places = np.flatnonzero(np.broadcast_to(ways, shape).reshape(-1))[:_MOST]
    curves: list[Json] = []
    for place in places:
        swept = np.repeat(sample[name].reshape(1, -1).astype(np.float64), _POINTS, axis=0)
        swept[:, place] = np.linspace(low[place], high[place], _POINTS)
        values = swept.reshape(_POINTS, *shape).astype(sample[name].dtype)
        others = {key: np.repeat(each, _POINTS, axis=0) for key, each in sample.items()}
        outputs = function({**others, name: values}).reshape(_POINTS, -1)
        if not outputs.shape[1]:
            continue
        index = ", ".join(map(str, np.unravel_index(int(place), shape)))
        across, up = values.reshape(_POINTS, -1)[:, place], outputs[:, 0]
        curves.append({"element": f"{name}[{index}]", "x": _brief(across), "y": _brief(up)})
    return curves


def _brief(values: Array) -> list[Json]:
    """The numbers to six digits, null for what is none."""
    return [float(f"{value:.6g}") if np.isfinite(value) else None for value in values.tolist()]
