"""Gradients of poolings, in both formats."""

import pytest
from _gradients import FORMATS, IMAGE, head, right
from keras import layers


@FORMATS
@pytest.mark.parametrize("kind", ["Max", "Average"])
@pytest.mark.parametrize(("size", "step", "padding"), [(2, 2, "valid"), (3, 2, "same"), (2, 3, "valid")])
def test_through_poolings(converted, format_name, kind, size, step, padding):
    pooling = getattr(layers, f"{kind}Pooling2D")(size, step, padding)
    right(converted, format_name, head(layers.ReLU(), pooling, layers.Conv2D(2, 2)), IMAGE)
