"""Turns: who may be inside a model, and for how long."""

import functools
import itertools
import threading
import time

import pytest

from kexport.errors import UsageError
from kexport.runtimes._turns import Turns

LONG, SHORT = 0.02, 1e-5  # seconds


@pytest.fixture
def threads():
    """Start functions in threads, which must end soon."""
    started = []

    def start(*acts):
        for act in acts:
            started.append(threading.Thread(target=act, daemon=True))
            started[-1].start()

    yield start
    for thread in started:
        thread.join(10)
        assert not thread.is_alive()


def test_threads_that_make_short_calls_change_places_seldom(threads):
    turns, inside = Turns(together=False), []

    def act(numbers):
        inside.extend(numbers)
        time.sleep(SHORT)

    def call(number):
        for _ in range(300):
            turns.run(act, [number])

    threads(*(functools.partial(call, number) for number in range(4)))
    until = time.monotonic() + 10
    while len(inside) < 1200 and time.monotonic() < until:
        time.sleep(0.01)
    assert len(inside) == 1200
    assert sum(one != other for one, other in itertools.pairwise(inside)) < 120


def test_a_thread_gets_its_turn_though_another_calls_without_end(threads):
    turns, ended, begun = Turns(together=False), threading.Event(), threading.Event()

    def act(_):
        begun.set()
        time.sleep(SHORT)

    def call_on():
        while not ended.is_set():
            turns.run(act, ())

    threads(call_on)
    begun.wait()
    before = time.monotonic()
    turns.run(tuple, ())
    ended.set()
    assert time.monotonic() - before < 1


@pytest.mark.parametrize("together", [True, False])
def test_long_calls_are_made_together_where_they_may(threads, together):
    turns, inside, most = Turns(together=together), [], []

    def act(_):
        inside.append(None)
        most.append(len(inside))
        time.sleep(LONG)
        inside.pop()

    def call():
        for _ in range(5):
            turns.run(act, ())

    threads(call, call, call)
    until = time.monotonic() + 10
    while len(most) < 15 and time.monotonic() < until:
        time.sleep(0.01)
    assert (max(most) > 1) is together


def test_short_calls_are_made_alone_though_they_may_be_together(threads):
    turns, inside, most = Turns(together=True), [], []

    def act(_):
        inside.append(None)
        most.append(len(inside))
        inside.pop()

    def call():
        for _ in range(2000):
            turns.run(act, ())

    threads(call, call, call)
    until = time.monotonic() + 10
    while len(most) < 6000 and time.monotonic() < until:
        time.sleep(0.01)
    assert sum(one > 1 for one in most) < 600


def test_a_call_within_a_call_is_made_where_it_may_be():
    assert Turns(together=True).run(lambda _: None, ()) is None
    together = Turns(together=True)
    assert together.run(lambda _: together.run(tuple, [1]), ()) == (1,)
    alone = Turns(together=False)
    with pytest.raises(UsageError, match="within its own call"):
        alone.run(lambda _: alone.run(tuple, [1]), ())
    assert alone.run(tuple, [1]) == (1,)


def test_an_interrupt_while_a_thread_waits_harms_nothing(threads, monkeypatch):
    turns, ended, begun = Turns(together=False), threading.Event(), threading.Event()

    def act(_):
        begun.set()
        ended.wait(10)

    threads(lambda: turns.run(act, ()))
    begun.wait()

    def interrupted(*_):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr("threading.Event.wait", interrupted)
        with pytest.raises(KeyboardInterrupt):
            turns.run(tuple, ())
    ended.set()
    assert turns.run(tuple, [1]) == (1,)
