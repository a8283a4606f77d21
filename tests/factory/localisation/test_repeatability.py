import numpy as np

from kexport.factory.localisation import repeatability
from kexport.factory.localisation.layer_calls import Call, CallSite
from kexport.factory.localisation.layer_graph import TracedCall


def found_in(feeds, once, again):
    """The layers at fault, where each takes the results of those in `feeds`."""
    sites = {name: CallSite(name, 1, "Odd") for name in feeds}
    traced = [TracedCall(sites[name], name, "", (), tuple(taken)) for name, taken in feeds.items()]
    first, second = ({site.key: [np.float32(run[name])] for name, site in sites.items()} for run in (once, again))
    calls = [Call(site) for site in sites.values()]
    return [fault.layer for fault in repeatability.faults(calls, first, second, traced)]


CHAIN = {"first": [], "odd": ["first"], "last": ["odd"]}


def test_the_layer_at_which_two_runs_part_is_named_and_none_that_takes_its_result():
    assert found_in(CHAIN, {"first": [1], "odd": [2], "last": [3]}, {"first": [1], "odd": [5], "last": [6]}) == ["odd"]


def test_layers_that_give_the_same_but_for_rounding_are_repeatable():
    nearly = np.nextafter(np.float32(2), np.float32(3))
    assert not found_in(CHAIN, {"first": [1], "odd": [2], "last": [3]}, {"first": [1], "odd": [nearly], "last": [3]})


def test_a_nan_that_comes_and_goes_is_another_result():
    once, again = {"first": [1], "odd": [np.nan], "last": [3]}, {"first": [1], "odd": [2], "last": [3]}
    assert found_in(CHAIN, once, again) == ["odd"]


def test_branches_that_are_random_apart_are_both_named():
    branches = {"left": [], "right": [], "sum": ["left", "right"]}
    once, again = {"left": [1], "right": [1], "sum": [2]}, {"left": [3], "right": [4], "sum": [7]}
    assert found_in(branches, once, again) == ["left", "right"]


def test_of_a_layer_around_it_and_itself_the_inner_one_is_named():
    nested = {"block/odd": [], "block": ["block/odd"]}
    once, again = {"block/odd": [1], "block": [1]}, {"block/odd": [2], "block": [2]}
    assert found_in(nested, once, again) == ["block/odd"]
