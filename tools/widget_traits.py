#!/usr/bin/env python3
"""Write what the widgets' traits allow for TypeScript.

    python tools/widget_traits.py

`web/src/NAME/traits.ts` holds, for the widget of the module NAME, its element,
the kind, default and bounds of each trait that a reader may change, and the
constants that both sides need. `make web` runs this before it bundles.
"""

from __future__ import annotations

import json
import sys
from math import inf
from pathlib import Path
from typing import Any

import traitlets

from attn_course import colours, widgets
from attn_course.widgets.base import CourseWidget

SOURCES = Path(__file__).resolve().parents[1] / "web" / "src"
# A subclass stands before its parent.
KINDS = (
    (traitlets.Bool, "flag"),
    (traitlets.Int, "whole"),
    (traitlets.Float, "number"),
    (traitlets.Enum, "choice"),
    (traitlets.Unicode, "text"),
    (traitlets.List, "list"),
    (traitlets.Dict, "record"),
)


def stem(kind: type[CourseWidget]) -> str:
    """Name a widget's module, its folder below `web/src/` and its bundle."""
    return kind.__module__.rpartition(".")[2]


def describe(trait: traitlets.TraitType) -> dict[str, Any]:
    """Say what a trait takes and starts from, in words of JSON.

    Examples
    --------
    >>> describe(traitlets.Int(4, min=1))
    {'kind': 'whole', 'default': 4, 'range': [1, inf]}
    """
    kind = next(name for parent, name in KINDS if isinstance(trait, parent))
    empty: dict[str, Any] = {"list": [], "record": {}}
    found = {"kind": kind, "default": empty.get(kind, trait.default_value)}
    if kind in ("whole", "number"):
        low = -inf if trait.min is None else trait.min
        high = inf if trait.max is None else trait.max
        if (low, high) != (-inf, inf):
            found["range"] = [low, high]
    if kind == "choice":
        found["choices"] = list(trait.values)
    if kind == "list":
        found["of"] = describe(trait._trait)
        del found["of"]["default"]
        if trait._maxlen < sys.maxsize:  # which stands for any length
            found["most"] = trait._maxlen
    return found


def literal(value: Any) -> str:
    """Write a value as TypeScript.

    Examples
    --------
    >>> literal({"kind": "number", "range": [0.0, inf]})
    '{ kind: "number", range: [0, Infinity] }'
    """
    if isinstance(value, dict):
        inside = ", ".join(
            f"{_name(k)}: {literal(v)}" for k, v in value.items()
        )
        return f"{{ {inside} }}" if value else "{}"
    if isinstance(value, list | tuple):
        return f"[{', '.join(map(literal, value))}]"
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    return json.dumps(value, ensure_ascii=False)


def _name(key: str) -> str:
    return key if key.isidentifier() else json.dumps(key)


def source(kind: type[CourseWidget]) -> str:
    """Write the module of one widget."""
    constants = vars(sys.modules[kind.__module__])
    traits = kind.class_traits()
    lines = [
        f"// What {kind.__module__} states of {kind.__name__}:",
        "// written by tools/widget_traits.py, not by hand.",
        f"export const TAG = {literal(kind._tag)};",
        "",
        "export const TRAITS = {",
        *(f"  {n}: {literal(describe(traits[n]))}," for n in kind._reader),
        "} as const;",
    ]
    if kind._constants:
        lines.append("")
    for name in kind._constants:
        value = constants[name]
        frozen = " as const" if isinstance(value, dict) else ""
        lines.append(f"export const {name} = {literal(value)}{frozen};")
    return "\n".join(lines) + "\n"


def roles() -> str:
    """Write the module of the colours that mean something.

    Examples
    --------
    >>> "query" in roles()
    True
    """
    lines = [
        "// The colours of attn_course.colours:",
        "// written by tools/widget_traits.py, not by hand.",
    ]
    for theme in colours.Tone._fields:
        tones = {
            role: getattr(tone, theme)
            for role, tone in {**colours.ROLES, **colours.SURFACES}.items()
        }
        lines.append(
            f"export const {theme.upper()} = {literal(tones)} as const;"
        )
    return "\n".join(lines) + "\n"


def files() -> dict[Path, str]:
    """Give the path and the text of each module."""
    kinds = [getattr(widgets, name) for name in widgets.__all__]
    traits = {SOURCES / stem(k) / "traits.ts": source(k) for k in kinds}
    return {**traits, SOURCES / "lib" / "roles.ts": roles()}


def main() -> None:
    """Write the modules that differ."""
    for path, text in files().items():
        if path.is_file() and path.read_text("utf-8") == text:
            continue
        path.parent.mkdir(exist_ok=True)
        path.write_text(text, "utf-8")
        print(f"Wrote {path.relative_to(SOURCES.parents[1])}")


if __name__ == "__main__":
    main()
