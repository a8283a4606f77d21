"""Turns: who may be inside a model, and for how long."""

import contextlib
import functools
import itertools
import os
import signal
import sys
import threading
import time

import pytest

from kexport.errors import UsageError
from kexport.runtimes._turns import Turns

LONG, SHORT = 0.02, 1e-5  # seconds
MOMENTS = 60  # more lines than a call has


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


def await_length(found, count):
    until = time.monotonic() + 10
    while len(found) < count and time.monotonic() < until:
        time.sleep(0.01)


def test_threads_that_make_short_calls_change_places_seldom(threads):
    turns, inside = Turns(together=False), []

    def act(numbers):
        inside.extend(numbers)
        time.sleep(SHORT)

    def call(number):
        for _ in range(300):
            turns.run(act, [number])

    threads(*(functools.partial(call, number) for number in range(4)))
    await_length(inside, 1200)
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
    await_length(most, 15)
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
    await_length(most, 6000)
    assert sum(one > 1 for one in most) < 600


def test_a_call_within_a_call_is_made_where_it_may_be():
    assert Turns(together=True).run(lambda _: None, ()) is None
    together = Turns(together=True)
    assert together.run(lambda _: together.run(tuple, [1]), ()) == (1,)
    alone = Turns(together=False)
    with pytest.raises(UsageError, match="within its own call"):
        alone.run(lambda _: alone.run(tuple, [1]), ())
    assert alone.run(tuple, [1]) == (1,)


@pytest.mark.skipif(os.name != "posix", reason="signals")
def test_an_interrupt_while_a_thread_waits_harms_nothing(threads):
    turns, ended, begun = Turns(together=False), threading.Event(), threading.Event()

    def act(_):
        begun.set()
        ended.wait(10)

    def interrupt():
        time.sleep(0.1)
        signal.pthread_kill(threading.main_thread().ident, signal.SIGINT)

    threads(lambda: turns.run(act, ()))
    begun.wait()
    threads(interrupt)
    with pytest.raises(KeyboardInterrupt):
        turns.run(tuple, ())
    ended.set()
    assert turns.run(tuple, [1]) == (1,)


def test_a_thread_may_call_at_any_moment_of_its_own_call(threads):
    turns, ended = Turns(together=False), threading.Event()
    lines, answers = [], []

    def call_on():
        while not ended.is_set():
            turns.run(lambda _: time.sleep(LONG), ())

    def interrupted(number):  # as by a signal handler, or a finaliser, at that line
        def at_each_line(frame, event, argument):
            lines.append(event)
            if len(lines) == number:
                with contextlib.suppress(UsageError):  # within a call
                    turns.run(tuple, ())
            return at_each_line

        return at_each_line

    def call():
        for number in range(MOMENTS):
            lines.clear()
            sys.settrace(interrupted(number))
            answers.extend(turns.run(tuple, [number]))
            sys.settrace(None)
            time.sleep(LONG)  # the other thread has its turn
        ended.set()

    threads(call_on, call)
    ended.wait(20)
    assert answers == list(range(MOMENTS))


def test_short_calls_need_not_wait_for_a_long_one_where_they_may_be_together(threads):
    turns, ended = Turns(together=True), threading.Event()

    def act(_):
        time.sleep(SHORT)

    def call():
        while not ended.is_set():
            turns.run(act, ())

    threads(call, call)
    time.sleep(0.3)  # they are known to be short
    before = time.monotonic()
    threads(lambda: turns.run(lambda _: [ended.wait(10)], ()))
    time.sleep(0.1)
    for _ in range(3):
        turns.run(act, ())
    ended.set()
    assert time.monotonic() - before < 5
