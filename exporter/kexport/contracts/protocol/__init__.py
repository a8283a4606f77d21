"""Contracts, and what they are judged with: the function, its space of inputs, the slack and the effort."""

from kexport.contracts.protocol.contract import EFFORT, Contract, Effort, Verdict, WeightContract
from kexport.contracts.protocol.experiment import Experiment, check_by_experiment
from kexport.contracts.protocol.function import Function
from kexport.contracts.protocol.slack import Slack

__all__ = [
    "EFFORT",
    "Contract",
    "Effort",
    "Experiment",
    "Function",
    "Slack",
    "Verdict",
    "WeightContract",
    "check_by_experiment",
]
