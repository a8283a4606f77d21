"""All of one family in one process: the healthy bundle, each fault planted, its effect, and one random batch."""

from __future__ import annotations

import json
import re
import traceback
from pathlib import Path
from typing import Any

import fault_cases
from fault_cases import _found
from fault_cases._effect import Meter
from fault_cases._planting import Planter


def measure(name: str, work: Path, only: str) -> None:
    """Plant the faults of a family whose names match, and write a record of each beside its bundle."""
    family = fault_cases.get(name)
    planter = Planter(family, work)
    meter = Meter(planter.healthy)
    for fault in family.faults:
        if not re.search(only, fault.name):
            continue
        record: dict[str, Any] = {
            "kind": fault.kind,
            "model": fault.family,
            "format": fault.format,
            "layer": fault.layer,
            "runtime": fault.runtime,
        }
        try:
            faulty = planter.plant(fault)
            record["effect"] = meter.effect(fault, faulty).to_json()
            record["one_batch"] = _found.by_one_batch(planter.healthy, faulty, fault)
        except Exception:  # noqa: BLE001  a fault that cannot be planted is told, and the next one is tried
            record["broken"] = traceback.format_exc()
        planter.record_of(fault).write_text(json.dumps(record))
        print(json.dumps({"fault": fault.name, **record}), flush=True)
