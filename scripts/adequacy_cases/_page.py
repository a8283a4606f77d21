"""The page of adequacy: what docs/adequacy.json holds, for readers."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

Rows = Mapping[str, Mapping[str, Any]]
SHARE = 0.99
_PROSE = """# Adequacy

Whether the goldens of a default domain see small changes of one tensor. `python scripts/benchmark_adequacy.py --write`
makes this page and [adequacy.json](adequacy.json); models and changes are in `scripts/adequacy_cases`.

Each model is built without a `--domain`. Then one tensor of it is changed: all of it times 1.01; one element by half of
the tensor's largest magnitude; two rows or channels swapped; one edge of a bin, by half of the narrowest bin; one entry
of a vocabulary. The changed model is converted to ONNX and put into the healthy bundle with its digest, which is then
verified. A change counts as **found** when a check fails, as **listed** when the build had named the tensor, or the
part of it that is changed, as unseen by the goldens. What is neither is tried on 4096 samples of the domain: it is
**missed** where one of them moves an output beyond its limit, and **without effect** where none does.
"""


def page(table: Mapping[str, Any]) -> str:
    """The page as Markdown."""
    rows: Rows = table.get("tensors", {})
    parts = [_PROSE, f"Measured with {_versions(table)}.\n", *_figures(rows)]
    parts += ["\n## What was missed\n", *(list(_named(rows, "missed")) or ["Nothing.\n"])]
    parts += ["\n## What has no effect\n", *(list(_named(rows, "without_effect")) or ["Nothing.\n"])]
    parts += ["\n## Every model\n", *_models(rows, table.get("models", {}))]
    return "\n".join(parts) + "\n"


def bad(table: Mapping[str, Any]) -> Iterator[str]:
    """What must not be, a line each."""
    rows: Rows = table.get("tensors", {})
    known, changes = _known(rows), _sum(rows, "changes")
    if rows and known < SHARE * changes:
        yield f"{known} of {changes} changes are found or listed: less than {100 * SHARE:g} %"
    for name, model in table.get("models", {}).items():
        yield from (f"{name}: {problem}" for problem in [*model["wrong"], *model["unchecked"]])


def _versions(table: Mapping[str, Any]) -> str:
    return ", ".join(f"{name} {version}" for name, version in table.get("versions", {}).items())


def _sum(rows: Rows, key: str) -> int:
    return sum(len(row[key]) if isinstance(row[key], list) else int(row[key]) for row in rows.values())


def _known(rows: Rows) -> int:
    return _sum(rows, "found") + _sum(rows, "listed")


def _figures(rows: Rows) -> Iterator[str]:
    changes = _sum(rows, "changes")
    models = {name.partition(": ")[0] for name in rows}
    yield f"{changes} changes of {len(rows)} tensors in {len(models)} models.\n"
    yield "| | changes | share |"
    yield "| --- | ---: | ---: |"
    for key, title in (("found", "found"), ("listed", "listed as unseen"), ("without_effect", "without effect"),
                       ("missed", "missed")):  # fmt: skip
        yield f"| {title} | {_sum(rows, key)} | {_percent(_sum(rows, key), changes)} |"
    yield f"| found or listed | {_known(rows)} | {_percent(_known(rows), changes)} |"


def _percent(count: int, total: int) -> str:
    return f"{100 * count / total:.1f} %" if total else "-"


def _named(rows: Rows, key: str) -> Iterator[str]:
    for name, row in sorted(rows.items()):
        if row[key]:
            yield f"- `{name}`: {'; '.join(row[key])}"


def _models(rows: Rows, models: Rows) -> Iterator[str]:
    yield "| model | tensors | changes | found | listed | without effect | missed |"
    yield "| --- | ---: | ---: | ---: | ---: | ---: | ---: |"
    for model in sorted(models):
        own = {name: row for name, row in rows.items() if name.startswith(f"{model}: ")}
        counts = [_sum(own, key) for key in ("changes", "found", "listed", "without_effect", "missed")]
        yield f"| {model} | {len(own)} | " + " | ".join(map(str, counts)) + " |"
