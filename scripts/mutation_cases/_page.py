"""The page of mutations: what docs/mutations.json holds, for readers."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

_PROSE = """# Mutations

What becomes of bundles whose files were changed at random. `python scripts/mutations.py --work DIR --count 100000
--write` makes this page and [mutations.json](mutations.json); the changes are in `scripts/mutation_cases`.

A mutation is one to three changes of one file: of its bytes, or of its structure, in every field that the format has
(JSON values, members of archives, headers of arrays, messages of protocol buffers, tables of flatbuffers). Digests in
the manifest are then made right, so that the change reaches the parser; 3 % keep the old digest, which must be noticed.

- **served, green**: the operation gave an answer, or every check passed. Nothing that may be told was wrong.
- **refused, red**: a `KexportError` that names the file, or a report with a failed check.
- **failures**: an exception of another type (*raw*), something wrong accepted (*wrong*), a file written outside
  (*wrote*), code of the file run (*ran*), more than 1 GB (*memory*), more than 20 s (*hang*), the death of the process
  that called kexport (*died*).
"""
_GOOD = ("served", "green", "refused", "red")
_BAD = ("raw", "wrong", "wrote", "ran", "memory", "hang", "died")


def page(table: Mapping[str, Any]) -> str:
    """The page as Markdown."""
    made_with = ", ".join(f"{name} {version}" for name, version in table["versions"].items())
    run = table["run"]
    about = (
        f"{run['count']:,} mutations with seed {run['seed']}, in {run['minutes']} minutes. Measured with {made_with}."
    )
    if run["cured"]:
        about += f" Of these, {run['cured']} failed at first, and were taken again when the cause was cured."
    failures = [f"- {name}: {each['count']}" for name, each in sorted(table["failures"].items())] or ["None."]
    return "\n".join([_PROSE, about, "", *_figures(table), "", "## Failures", "", *failures]) + "\n"


def lines(table: Mapping[str, Any]) -> Iterator[str]:
    """The table and the failures, with examples, for whoever ran it."""
    yield from _figures(table)
    for name, failure in sorted(table["failures"].items(), key=lambda item: -item[1]["count"]):
        first = failure["examples"][0]
        yield f"{failure['count']:>6} {name}\n       {first['number']}: {first['what']}: {first['told']}"


def _figures(table: Mapping[str, Any]) -> Iterator[str]:
    yield _row("file", "operation", *_GOOD, *_BAD)
    yield _row("---", "---", *["---:"] * (len(_GOOD) + len(_BAD)))
    total: dict[str, int] = {}
    for name, counts in table["rows"].items():
        yield _row(*name.split(), *(f"{counts.get(verdict, 0):,}" for verdict in (*_GOOD, *_BAD)))
        for verdict, count in counts.items():
            total[verdict] = total.get(verdict, 0) + count
    yield _row("all", "", *(f"{total.get(verdict, 0):,}" for verdict in (*_GOOD, *_BAD)))


def _row(*cells: str) -> str:
    return "| " + " | ".join(cells) + " |"
