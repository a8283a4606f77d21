"""A peer runtime as the reference: its outputs, and how far nudged inputs move them."""

import itertools

import numpy as np
from peers import Peer, terms

from kexport.field.search import PeerReference

FEEDS = {"x": np.array([[0.5, -0.25]], "float32")}


def conditioning(peer, candidate=None):
    return PeerReference(peer, terms()).conditioning(FEEDS, np.random.default_rng(0), candidate)


def test_the_truth_is_what_the_peer_computes_and_nudges_move_it_by_their_own_size():
    found = conditioning(Peer("onnx", lambda x: 2 * x))
    np.testing.assert_array_equal(found.truth["y"], 2 * FEEDS["x"])
    ulp = np.spacing(2 * FEEDS["x"])
    assert (found.ulp_sensitivity["y"] >= np.abs(ulp)).all()
    assert (found.noise["y"] > found.ulp_sensitivity["y"]).all(), "larger nudges move it further"
    assert not found.keras_output


def test_the_movement_of_the_candidate_counts_too():
    steep = Peer("tflite", lambda x: 2 * x + 1000 * (x - FEEDS["x"][:1]))
    alone, both = conditioning(Peer("onnx", lambda x: 2 * x)), conditioning(Peer("onnx", lambda x: 2 * x), steep)
    assert (both.ulp_sensitivity["y"] > 100 * alone.ulp_sensitivity["y"]).all()


def test_a_candidate_that_answers_alike_inputs_in_two_ways_has_no_movement_of_inputs():
    count = itertools.count()
    unsteady = Peer("tflite", lambda x: 2 * x + next(count))
    alone, both = conditioning(Peer("onnx", lambda x: 2 * x)), conditioning(Peer("onnx", lambda x: 2 * x), unsteady)
    np.testing.assert_array_equal(alone.ulp_sensitivity["y"], both.ulp_sensitivity["y"])


def test_where_one_ulp_changes_the_shape_the_sensitivity_is_infinite():
    found = conditioning(Peer("onnx", lambda x: x[:, : 2 if (x == FEEDS["x"]).all() else 1]))
    assert np.isinf(found.ulp_sensitivity["y"]).all()
