"""What every widget shares: the bundle, the HTML form, the fallback table."""

import html
import json
import numbers
from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar

import anywidget
import traitlets

from attn_course.colours import SURFACES
from attn_course.data import data_uri
from attn_course.masks import is_finite

__all__ = ["CourseWidget", "Number", "check_d_k", "describe_recording"]

STATIC = Path(__file__).parent / "static"


# A page of its own, which may ask nobody for anything.
_PAGE = """\
<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; \
script-src 'unsafe-inline'; style-src 'unsafe-inline'; \
img-src data: blob:; media-src data: blob:">
<link rel="icon" href="data:,">
<title>{title}</title>
<style>
body {{ {light}; max-width: 46rem; margin: 1rem auto; padding: 0 .5rem }}
@media (prefers-color-scheme: dark) {{ body {{ {dark} }} }}
</style>
<main>
{element}
</main>
{scripts}"""


def _inline(path: Path) -> str:
    """Give a script as it may stand in a page: nothing in it ends it."""
    return path.read_text("utf-8").replace("</script", "<\\/script")


class Number(traitlets.Float):
    """A finite number: no browser reads NaN or inf from JSON."""

    def validate(self, obj: Any, value: Any) -> float:
        """Refuse NaN, which no limit keeps out."""
        if isinstance(value, numbers.Real) and not is_finite(value):
            raise traitlets.TraitError(
                f"expected {self.name or 'a number'} to be finite, got {value}"
            )
        return super().validate(obj, value)


class CourseWidget(anywidget.AnyWidget):
    """An anywidget that is also an HTML element with its state inside.

    A subclass names its `_tag`, the traits that a reader may change
    (`_reader`), and a `table()`: what a page without scripts, a screen reader
    or a print shows. Its bundle is called as its module. The bounds of those
    traits, and the constants of the module that `_constants` names, reach the
    browser through `tools/widget_traits.py`.
    """

    _tag: ClassVar[str]
    _reader: ClassVar[tuple[str, ...]]
    _constants: ClassVar[tuple[str, ...]] = ()

    def __init_subclass__(cls, **kwargs: Any) -> None:
        """Take the bundle that is named after the class's module."""
        package, _, stem = cls.__module__.rpartition(".")
        bundle = STATIC / f"{stem}.mjs"
        ours = package == __package__ and not hasattr(cls, "_esm")
        # That of a new widget is not there until `make web` made it.
        if ours and bundle.is_file():
            cls._esm = bundle
        super().__init_subclass__(**kwargs)

    # ipywidgets 7 asks for this method first and would lose the HTML form.
    _ipython_display_ = None

    name = traitlets.Unicode("widget").tag(sync=True)
    source = traitlets.Dict().tag(sync=True)
    controls = traitlets.List(
        traitlets.Unicode(), default_value=None, allow_none=True
    ).tag(sync=True)

    # The browser asks for the names of the traits that a reader may change.
    reader = traitlets.List(traitlets.Unicode()).tag(sync=True)

    @traitlets.default("reader")
    def _reader_names(self) -> list[str]:
        return list(self._reader)

    # Pictures and sounds travel with a notebook; the website carries them
    # beside its pages, where they load when the widget comes into view.
    assets = traitlets.Dict().tag(sync=True)

    @traitlets.default("assets")
    def _assets_needed(self) -> dict[str, str]:
        return {name: data_uri(name) for name in self.asset_names()}

    def asset_names(self) -> list[str]:
        """Name the pictures and sounds that the widget shows."""
        return []

    def table(self) -> str:
        """Give the HTML table that stands in for the widget."""
        raise NotImplementedError

    def html(self) -> str:
        """Give the element with its state, as the website carries it."""
        return self._element({})

    def _element(self, more: dict[str, Any]) -> str:
        state = {
            "name": self.name,
            "source": self.source,
            "state": {name: getattr(self, name) for name in self._reader},
            "controls": self.controls,
            **more,
        }
        # NaN is no JSON: it must have been refused, or be null.
        text = json.dumps(
            state, ensure_ascii=False, separators=(",", ":"), allow_nan=False
        )
        return (
            f'<{self._tag} data-state="{html.escape(text)}">'
            f"{self.table()}</{self._tag}>"
        )

    def save(self, path: str | Path) -> None:
        """Write a page that holds the widget and all it needs.

        The one file works offline, asks no host for anything, and opens in
        the state that the widget is in.

        Raises
        ------
        ValueError
            When the name does not end in .html or .htm.
        """
        path = Path(path)
        if path.suffix.lower() not in {".html", ".htm"}:
            raise ValueError(
                f"expected a name such as x.html, got {path.name}"
            )
        title = str(self.source.get("title") or self.name)
        scripts = "".join(
            f"<script>{_inline(STATIC / name)}</script>\n"
            for name in ("attn-widgets.js", f"{self._tag}.js")
        )
        page = _PAGE.format(
            title=html.escape(title),
            light=f"background: {SURFACES['paper'].light}; "
            f"color: {SURFACES['ink'].light}",
            dark=f"background: {SURFACES['paper'].dark}; "
            f"color: {SURFACES['ink'].dark}",
            element=self._element({"assets": self.assets}),
            scripts=scripts,
        )
        path.write_text(page, "utf-8")

    def _repr_mimebundle_(self, **kwargs: Any) -> Any:
        bundle = super()._repr_mimebundle_(**kwargs)
        data, metadata = bundle if isinstance(bundle, tuple) else (bundle, {})
        return {**(data or {}), "text/html": self.html()}, metadata


def check_d_k(d_k: Any) -> int | float | None:
    """Give d_k, which √d takes, as a number that JSON knows.

    Raises
    ------
    ValueError
        When it is no finite number above 0, and not None.
    """
    if d_k is None:
        return None
    if not is_finite(d_k) or d_k <= 0:
        raise ValueError(f"expected d_k as a number above 0, got {d_k!r}")
    return int(d_k) if isinstance(d_k, numbers.Integral) else float(d_k)


def describe_recording(record: Mapping[str, Any]) -> str:
    """Say that these numbers are a recording, and how they were rounded."""
    made = record["recorded"]
    return (
        f"Recorded {made['date']} with {record['source']['package']} by "
        f"“{made['command']}”. {record['rounding']}"
    )
