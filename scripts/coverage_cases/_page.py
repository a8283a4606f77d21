"""The coverage page: what docs/coverage.json holds, for readers."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping

from coverage_cases._case import FORMATS

Rows = Mapping[str, Mapping[str, str]]  # of each case: of each format, the status and why
_TITLES = {"onnx": "ONNX", "tflite": "TFLite", "saved_model": "SavedModel", "keras": "`.keras`"}
_GROUPS = {
    "layers": "Layers",
    "ops": "Operations",
    "models": "Custom models",
    "applications": "Applications",
    "hub": "Backbones of keras-hub",
    "packages": "Other packages",
}
_PROSE = """# Coverage

What kexport makes of every public Keras layer and operation, in the variants that the project tests, of models as
people write them, of a member of each family of `keras.applications` with random weights, of backbones of keras-hub
with tiny random configurations, and of layers and networks of other packages.
`python scripts/export_coverage.py --write` makes this page and [coverage.json](coverage.json), which has every case; a
sample of it is a test, so the page is true or the test is red. A case whose package is not installed is not measured.

- **right**: the artifact, run by the raw runtime on inputs that the build has not seen, in batches of 1 and 3, gives
  what `model(x, training=False)` gives, in the same dtype, to 1e-5 + 1e-5 of the value in every element (16-bit
  numbers: four units in the last place); of whole models, and of mixed precision, within the limit of the bundle.
- **refused**: no artifact, and an error that names the layer and the operation.
- **caught**: an artifact that is not right, and a report that says so: it is never at `OUT`.

Wrong and not caught, right and called wrong, and a crash have no place on this page: the test fails.
"""


def page(groups: Mapping[str, Rows], versions: Mapping[str, str]) -> str:
    """The page as Markdown."""
    parts = [_PROSE, "Measured with " + ", ".join(f"{name} {version}" for name, version in versions.items()) + ".\n"]
    parts += ["## Figures\n", *_figures(groups)]
    for group, title in _GROUPS.items():
        if rows := groups.get(group):
            parts += [f"\n## {title}\n", *(_by_subject if group in ("layers", "ops") else _by_case)(rows)]
            parts += _reasons(rows)
    return "\n".join(parts) + "\n"


def status(text: str) -> str:
    """The status without the reason."""
    return text.partition(":")[0]


def _figures(groups: Mapping[str, Rows]) -> Iterator[str]:
    yield _line("right of all cases", *_TITLES.values())
    yield _line("---", *["---"] * len(FORMATS))
    for group, title in _GROUPS.items():
        if rows := groups.get(group):
            yield _line(title, *(_share(rows, name) for name in FORMATS))


def _share(rows: Rows, name: str) -> str:
    found = Counter(status(row[name]) for row in rows.values() if name in row)
    total = found.total()
    if not total:
        return "-"
    others = "".join(f", {count} {what}" for what, count in sorted(found.items()) if what != "right")
    return f"**{100 * found['right'] / total:.1f} %** ({found['right']} of {total}{others})"


def _by_subject(rows: Rows) -> Iterator[str]:
    """A line for each layer or operation: how many of its cases are right."""
    subjects: dict[str, list[Mapping[str, str]]] = defaultdict(list)
    for name, row in rows.items():
        subjects[name.partition("/")[0]].append(row)
    yield _line("", "cases", *_TITLES.values())
    yield _line("---", "---:", *["---"] * len(FORMATS))
    for subject, found in sorted(subjects.items(), key=lambda item: item[0].lower()):
        yield _line(subject, str(len(found)), *(_count(found, name) for name in FORMATS))


def _count(found: list[Mapping[str, str]], name: str) -> str:
    texts = [row[name] for row in found if name in row]
    right = sum(status(text) == "right" for text in texts)
    return "-" if not texts else "right" if right == len(texts) else f"{right} of {len(texts)}" if right else "none"


def _by_case(rows: Rows) -> Iterator[str]:
    yield _line("", *_TITLES.values())
    yield _line("---", *["---"] * len(FORMATS))
    for name, row in sorted(rows.items(), key=lambda item: item[0].lower()):
        yield _line(name, *(status(row.get(form, "-")) for form in FORMATS))


def _reasons(rows: Rows) -> Iterator[str]:
    """A line for each artifact that is not right, with the reason."""
    lacking = [
        _line(name, _TITLES[form], *text.replace("|", "/").split(": ", 1))
        for name, row in sorted(rows.items(), key=lambda item: item[0].lower())
        for form, text in row.items()
        if status(text) != "right"
    ]
    if lacking:
        yield "\nWhat is not right:\n"
        yield _line("case", "format", "", "why")
        yield _line("---", "---", "---", "---")
        yield from lacking


def _line(*cells: str) -> str:
    return "| " + " | ".join(cells) + " |"
