"""What kexport says of one network, and the smallest network of which it says the same."""

from __future__ import annotations

import traceback
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import kexport
from network_cases import _current, _raw
from network_cases._network import Network

Record = dict[str, Any]
_CRASH = "crash"


def of_number(seed: int, index: int, folder: Path) -> Record:
    """What is said of a drawn network."""
    _current.seed, _current.index, _current.network = seed, index, None
    return _said(folder, None)


def of_network(data: Record, formats: Sequence[str] | None, folder: Path) -> Record:
    """What is said of a network that is given, in some formats."""
    _current.network = Network.from_json(data)
    return _said(folder, formats)


def _said(folder: Path, formats: Sequence[str] | None) -> Record:
    try:
        bundle = kexport.build("network_cases._current:model", folder / "bundle", formats=formats, keep_going=True)
        said = [_entry(check) for check in bundle.report.checks if not check.passed]
        notes = list(map(str, bundle.report.notes))
        unseen = [*_raw.problems(bundle, _current.model())] if bundle.passed else []
        said += unseen
        passed, code = bundle.passed and not unseen, bundle.report.exit_code
    except kexport.KexportError as error:
        if _current.network is not None:
            _current.network.model()  # may raise: then it is no network
        said, notes, passed, code = [{"kind": "error", "detail": str(error)}], [], False, error.exit_code
    except Exception as error:  # what kexport lets through is what it says
        if _current.network is None:
            raise
        said, notes = [{"kind": _CRASH, "detail": "".join(traceback.format_exception(error))[-1500:]}], []
        passed, code = False, 1
    network = _current.network.to_json() if _current.network else {}
    return {"network": network, "passed": passed, "code": code, "said": said, "notes": notes}


def _entry(check: Any) -> Record:
    """A check that did not pass."""
    return {
        "kind": str(check.kind) if check.ran else f"{check.kind} not run",
        "artifact": check.artifact,
        "runtime": check.runtime,
        "output": check.output,
        "figure": check.figure,
        "limit": check.limit,
        "case": check.metrics.get("case"),
        "detail": check.detail[:600],
    }


def sort_of(record: Record) -> str:
    """The sort of what is said, by which networks are grouped: the first check's kind and runtime, without numbers."""
    if record["passed"]:
        return ""
    first = record["said"][0] if record["said"] else {"kind": "nothing", "detail": ""}
    words = first["detail"].splitlines()[:2] if first["kind"] in ("error", "export", _CRASH) else []
    return " ".join([first["kind"], str(first.get("runtime") or first.get("artifact") or ""), *words])[:160]


def kinds_of(record: Record) -> set[tuple[str, str]]:
    """What must stay the same while a network is made smaller."""
    return {(each["kind"], each.get("artifact") or "") for each in record["said"]}


def formats_of(record: Record) -> list[str] | None:
    """The formats in which something is wrong; None where that is not of a format."""
    names = {"model.onnx": "onnx", "model.tflite": "tflite", "saved_model": "saved_model", "model.keras": "keras"}
    wrong = {names.get(each.get("artifact") or "") for each in record["said"]}
    return None if None in wrong or not wrong else sorted(name for name in wrong if name)


def smallest(record: Record, judge: Callable[[Record], Record | None], trials: int) -> Record:
    """A record of a network, made smaller, of which something of the same kinds is said.

    Args:
        record: of the network.
        judge: what is said of a network that is given as JSON; None where it cannot be made.
        trials: how many networks to try at most.
    """
    wanted = kinds_of(record)
    progress = True
    while progress and trials > 0:
        progress = False
        network = Network.from_json(record["network"])
        for candidate in _smaller(network):
            if trials <= 0:
                break
            trials -= 1
            found = judge(candidate.to_json())
            if found is not None and not found["passed"] and kinds_of(found) & wanted:
                record, progress = found, True
                break
    return record


def _smaller(network: Network) -> list[Network]:
    one_output = [
        Network(network.seed, network.steps, (output,)).pruned()
        for output in network.outputs
        if len(network.outputs) > 1
    ]
    fewer = [network.without(number) for number in range(len(network.steps))]
    return [*one_output, *(each for each in fewer if each is not None and len(each.steps) > 1)]
