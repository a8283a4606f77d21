"""Changes of one tensor: each is undone, and what the manifest lists is taken at its word."""

import keras
import numpy as np
import pytest

from adequacy_cases import _changes, _page
from adequacy_cases._listing import Listing
from adequacy_cases._models import MODELS

KERNEL = {"subject": "conv/kernel", "standing": "partial", "why": "", "part": "channels", "numbers": [3], "count": 1}


@pytest.fixture(scope="module")
def tabular():
    return MODELS["tabular"]()


def test_there_are_twenty_models_and_more():
    assert len(MODELS) >= 20


def test_every_kind_of_change_is_made_somewhere(tabular):
    kinds = {change.kind for change in _changes.every(tabular)}
    assert kinds == {"x 1.01", "one element", "two rows swapped", "one bin edge", "one vocabulary entry"}


def test_a_change_changes_the_outputs_and_is_undone(tabular):
    feeds = {
        "zip": np.array([[10], [20], [30], [77]]),
        "city": np.array([["ulm"], ["bonn"], ["kiel"], ["ulm"]]),
        "age": np.array([[10.0], [20.0], [40.0], [60.0]], "float32"),
    }
    feeds = {name: keras.ops.convert_to_tensor(value) for name, value in feeds.items()}
    before = np.asarray(tabular(feeds))
    changed = 0
    for change in _changes.every(tabular):
        with change.made():
            changed += not np.array_equal(np.asarray(tabular(feeds)), before)
        np.testing.assert_array_equal(np.asarray(tabular(feeds)), before)
    assert changed > 20


def test_a_tensor_is_listed_by_its_path_or_by_the_end_of_it():
    listing = Listing([{"subject": "conv/kernel", "why": ""}])
    assert listing.names("conv/kernel", ())
    assert listing.names("functional/conv/kernel", ())
    assert not listing.names("conv/bias", ())
    assert not listing.names("other_conv/kernel", ())


def test_of_a_part_only_what_is_numbered_is_listed():
    listing = Listing([KERNEL])
    assert listing.names("conv/kernel", ((0,), (0,), (1,), (3,)))
    assert not listing.names("conv/kernel", ((0,), (0,), (1,), (2,)))
    assert not listing.names("conv/kernel", ())


def test_what_is_missed_and_what_does_not_pass_are_told():
    row = {"changes": 2, "found": 1, "listed": 0, "without_effect": [], "missed": ["x 1.01"]}
    table = {"tensors": {"cnn: conv/kernel": row}, "models": {"cnn": {"wrong": ["parity: far"], "unchecked": []}}}
    assert [line.partition(":")[0] for line in _page.bad(table)] == [
        "1 of 2 changes are found or listed",
        "cnn",
    ]
    assert "`cnn: conv/kernel`: x 1.01" in _page.page(table)
