"""A function under test, together with all that a contract needs to judge it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from kexport.bundle.signature import Array
from kexport.contracts.protocol.contract import EFFORT, Effort, Verdict
from kexport.contracts.protocol.function import Function
from kexport.contracts.protocol.slack import Slack
from kexport.parity.space import Space


@dataclass(frozen=True)
class Experiment:
    """The function and the conditions that a contract is judged with.

    Attributes:
        function: the model in one runtime, as a black box.
        space: the domain of its inputs.
        slack: the error that float arithmetic may add to its outputs.
        effort: how long to search for a counterexample.
    """

    function: Function
    space: Space
    slack: Slack
    effort: Effort = EFFORT

    def slack_of(self, *values: Array) -> Array:
        """The slack of the contract's first output where it takes these values; float64 of shape `(samples,)`."""
        return self.slack.of(self.function.outputs[0], *values)


class Examiner(Protocol):
    """A contract that is judged on an experiment."""

    def examine(self, experiment: Experiment, /) -> Verdict:
        """Search for an input on which the contract is broken."""
        ...


def check_by_experiment(
    self: Examiner, function: Function, space: Space, slack: Slack, effort: Effort = EFFORT
) -> Verdict:
    """Search for an input on which the contract is broken: the method `check` of every kind in this package.

    Args:
        self: the contract.
        function: the model in one runtime, as a black box.
        space: the domain of its inputs.
        slack: the error that float arithmetic may add to its outputs.
        effort: how long to search.
    """
    return self.examine(Experiment(function, space, slack, effort))
