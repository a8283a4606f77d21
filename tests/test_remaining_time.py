"""The time that is left is told from how long the steps have taken, whatever the size of the model."""

import pytest

from kexport.remaining_time import RemainingTime, build_plan

#: Seconds of the steps of builds on two busy cores.
STEPS = (
    "importing TensorFlow", "loading the model", "tracing", "judging the model itself", "writing keras",
    "writing saved_model", "computing the truth in float64", "looking at what the goldens see", "writing onnx",
    "writing tflite", "checking every artifact in its runtimes",
)  # fmt: skip
BUILDS = {
    "two dense layers": (4.1, 0.33, 0.05, 0.14, 0.12, 0.66, 0.33, 0.05, 0.0, 0.03, 0.53),
    "two LSTMs": (3.4, 0.15, 0.20, 2.59, 0.11, 0.95, 6.08, 1.10, 0.0, 0.03, 3.01),
    "MobileNetV2": (3.5, 0.92, 0.72, 1.71, 2.06, 5.33, 7.34, 6.36, 0.01, 0.24, 9.13),
    "ResNet50": (4.8, 2.17, 1.18, 6.19, 4.99, 14.83, 45.34, 11.71, 0.0, 0.68, 114.62),
}


def told(seconds: tuple[float, ...], share: float) -> tuple[float | None, float]:
    """What is told after a share of a build's time, and what is left then; how many checks are made is known."""
    remaining, at, moment = RemainingTime(build_plan()), 0.0, share * sum(seconds)
    done = None
    for step, taken in zip(STEPS, seconds, strict=True):
        if at > moment:
            break
        remaining.begin(step, at)
        done = (moment - at) / taken if step.startswith("checking") else None
        at += taken
    return remaining.left(moment, done), sum(seconds) - moment


@pytest.mark.parametrize("share", [0.25, 0.5, 0.75])
@pytest.mark.parametrize("name", ["two LSTMs", "MobileNetV2", "ResNet50"])
def test_what_is_told_is_right_but_for_a_factor_of_three(name: str, share: float) -> None:
    said, left = told(BUILDS[name], share)
    assert said is not None
    assert left / 3 < said < left * 3


@pytest.mark.parametrize("seconds", BUILDS.values(), ids=BUILDS)
def test_nothing_is_told_during_the_import_and_nothing_is_left_at_the_end(
    seconds: tuple[float, ...],
) -> None:
    assert told(seconds, 0.1 * seconds[0] / sum(seconds))[0] is None
    said, _ = told(seconds, 0.999)
    assert said is not None
    assert said < 0.05 * sum(seconds)


def test_small_precisions_take_their_time_too() -> None:
    wide, small = RemainingTime(build_plan()), RemainingTime(build_plan(("float32", "int8")))
    for remaining in (wide, small):
        remaining.begin("tracing", 0.0)
        remaining.begin("judging", 1.0)
    few, more = wide.left(1.0), small.left(1.0)
    assert few is not None
    assert more is not None
    assert few < more
    small.begin("writing tflite int8", 2.0)
    after = small.left(2.0)
    assert after is not None
    assert after < more


def test_what_is_overdue_is_not_told_to_end_at_once() -> None:
    remaining = RemainingTime({"first": 1.0, "last": 1.0})
    remaining.begin("first", 0.0)
    remaining.begin("last", 1.0)
    assert remaining.left(1.5) == 0.5
    assert remaining.left(3.0) is None


def test_a_step_without_a_plan_is_told_by_its_share() -> None:
    remaining = RemainingTime()
    remaining.begin("searching", 10.0)
    assert remaining.left(20.0) is None
    assert remaining.left(20.0, 0.25) == 30.0
