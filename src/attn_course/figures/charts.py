"""A chart: drawn by matplotlib, once for wide and once for narrow places.

A notebook and the site show it as SVG in the colours and the letters of the
page around it. Who wants to go on with matplotlib finds the wide one as
`chart.figure`.
"""

import functools
import html
import inspect
from collections.abc import Callable
from importlib import resources
from typing import TYPE_CHECKING, Any, Concatenate, ParamSpec

from attn_course.colours import ROLES, SURFACES
from attn_course.figures.style import NARROW, WIDE, Size, settings
from attn_course.figures.svg import to_svg
from attn_course.optional import need

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["UNSAID", "Chart", "Shown", "chart", "style"]

# Where a chart stands whose words are not known yet; the site puts them in.
UNSAID = "data-unsaid"
# How the programs that show notebooks tell that they are dark.
_DARK = (
    '[data-jp-theme-light="false"]', '[data-vscode-theme-kind*="dark"]',
    'html[theme="dark"]',
)  # fmt: skip


P = ParamSpec("P")


class Shown:
    """What a notebook and the site show as a `<figure>`."""

    css = "attn-chart"

    def words(self) -> str:
        """Say what it is, where no one has said what is seen on it."""
        raise NotImplementedError

    def inside(self) -> str:
        """Write what stands in the figure."""
        raise NotImplementedError

    def html(self, alt: str = "") -> str:
        """Write it for a page that has the style; `alt` says what is seen."""
        said = alt or self.words()
        mark = "" if alt else f" {UNSAID}"
        return (
            f'<figure class="{self.css}" role="img" '
            f'aria-label="{html.escape(said)}"{mark}>{self.inside()}</figure>'
        )

    def _repr_html_(self) -> str:
        """Write it for a notebook, with its style."""
        return style() + self.html()


class Chart(Shown):
    """A chart in two widths.

    Attributes
    ----------
    figure
        The wide one, of matplotlib.
    """

    def __init__(self, draw: Callable[[Size], "Figure"]):
        self._draw = draw
        self._svgs: dict[Size, str] = {}
        self.figure = self.drawn(WIDE)

    def __repr__(self) -> str:
        """Name it as matplotlib would."""
        return f"<Chart: {self.words()}>"

    def drawn(self, size: Size) -> "Figure":
        """Draw it with matplotlib."""
        with need("matplotlib").rc_context(settings(size)):
            return self._draw(size)

    def svg(self, size: Size = WIDE) -> str:
        """Write it as an `<svg>` for a page."""
        if size not in self._svgs:
            figure = self.figure if size == WIDE else self.drawn(size)
            with need("matplotlib").rc_context(settings(size)):
                self._svgs[size] = to_svg(figure, size.name)
        return self._svgs[size]

    def savefig(self, file: Any, **options: Any) -> None:
        """Save the wide one as matplotlib does, on white."""
        given = {"dpi": 144, "facecolor": "white", **options}
        with need("matplotlib").rc_context(settings(WIDE)):
            self.figure.savefig(file, **given)

    def inside(self) -> str:
        """Write both."""
        return self.svg(WIDE) + self.svg(NARROW)

    def words(self) -> str:
        """Give its titles and the names of its axes."""
        found = [
            text
            for axes in self.figure.axes
            for text in (
                axes.get_title(loc="left"), axes.get_ylabel(),
                axes.get_xlabel(),
            )
        ]  # fmt: skip
        texts = dict.fromkeys(" ".join(text.split()) for text in found)
        return ", ".join(text for text in texts if text) or "chart"


def chart(
    draw: Callable[Concatenate[Size, P], "Figure"],
) -> Callable[P, Chart]:
    """Let a function that draws for one size give a chart for both."""

    @functools.wraps(draw)
    def made(*args: P.args, **kwargs: P.kwargs) -> Chart:
        return Chart(lambda size: draw(size, *args, **kwargs))

    given = inspect.signature(draw)
    rest = list(given.parameters.values())[1:]
    made.__signature__ = given.replace(  # type: ignore[attr-defined]
        parameters=rest, return_annotation=Chart
    )
    del made.__wrapped__
    return made


@functools.cache
def style() -> str:
    """Write the style that a chart needs where no site gives it."""
    rules = resources.files("attn_course") / "figures" / "charts.css"
    tones: dict[str, Any] = {**ROLES, **SURFACES}
    light, dark = (
        "".join(
            f"--attn-{name}:{getattr(tone, theme)};"
            for name, tone in tones.items()
        )
        for theme in ("light", "dark")
    )
    night = ",".join(f"{place} .attn-chart" for place in _DARK)
    return (
        f"<style>.attn-chart{{{light}}}"
        f"@media screen{{:is({night}){{{dark}}}}}"
        f"{rules.read_text('utf-8')}</style>"
    )
