"""Diagrams, laid out by hand: boxes, arrows and words in the roles' colours.

Each is a function that draws on a `Sketch`; its name, with dashes, is what
`{diagram} NAME` on a page and `draw(NAME)` here ask for, and its words are
what a screen reader says.
"""

import html
import math
from collections.abc import Callable

from attn_course.claims.chapters import nearest
from attn_course.figures.charts import Shown
from attn_course.figures.style import NARROW, tone
from attn_course.figures.svg import themed

__all__ = ["DIAGRAMS", "Diagram", "Sketch", "draw"]

Point = tuple[float, float]
LINE_HEIGHT = 15


class Sketch:
    """A sheet as wide as a phone, in pixels; y goes down."""

    def __init__(self, height: float):
        self.height = height
        self._parts: list[str] = []

    def box(
        self,
        x: float,
        y: float,
        width: float,
        height: float,
        text: str = "",
        role: str = "soft",
    ) -> None:
        """Draw a box by its upper left corner, with lines of text in it."""
        colour = themed(tone(role))
        self._parts.append(
            f'<rect x="{x:g}" y="{y:g}" width="{width:g}" '
            f'height="{height:g}" rx="4" style="fill:{colour};'
            f'fill-opacity:.14;stroke:{colour};stroke-width:1.5"/>'
        )
        if text:
            self.text(x + width / 2, y + height / 2, text)

    def text(
        self,
        x: float,
        y: float,
        text: str,
        role: str = "ink",
        *,
        anchor: str = "middle",
        bold: bool = False,
    ) -> None:
        """Write lines of text around a point."""
        lines = text.split("\n")
        weight = ";font-weight:600" if bold else ""
        first = y - (len(lines) - 1) * LINE_HEIGHT / 2 + 4.3
        for i, line in enumerate(lines):
            self._parts.append(
                f'<text x="{x:g}" y="{first + i * LINE_HEIGHT:g}" '
                f'style="font-size:{NARROW.letters}px;text-anchor:{anchor};'
                f'fill:{themed(tone(role))}{weight}">'
                f"{html.escape(line)}</text>"
            )

    def arrow(
        self, *points: Point, role: str = "soft", width: float = 1.5
    ) -> None:
        """Draw an arrow through points; its head is at the last."""
        colour = themed(tone(role))
        (x, y), (end_x, end_y) = points[-2:]
        angle = math.atan2(end_y - y, end_x - x)
        sides = [
            (end_x - 7 * math.cos(angle + turn),
             end_y - 7 * math.sin(angle + turn))
            for turn in (0.4, -0.4)
        ]  # fmt: skip
        self._path(points, f"fill:none;stroke:{colour};stroke-width:{width}")
        self._path([*sides, points[-1]], f"fill:{colour}", end="z")

    def line(self, *points: Point, role: str = "soft") -> None:
        """Draw a line through points."""
        self._path(
            points, f"fill:none;stroke:{themed(tone(role))};stroke-width:1.5"
        )

    def _path(
        self,
        points: "list[Point] | tuple[Point, ...]",
        css: str,
        end: str = "",
    ) -> None:
        steps = "L".join(f"{x:.1f} {y:.1f}" for x, y in points)
        self._parts.append(f'<path d="M{steps}{end}" style="{css}"/>')

    def svg(self) -> str:
        """Write it as an `<svg>` for a page."""
        return (
            f'<svg class="sketch" viewBox="0 0 {NARROW.width} '
            f'{self.height:g}">{"".join(self._parts)}</svg>'
        )


class Diagram(Shown):
    """A diagram with its words."""

    def __init__(self, alt: str, sketch: Sketch):
        self.alt = alt
        self.sketch = sketch

    def words(self) -> str:
        """Say what is seen on it."""
        return self.alt

    def inside(self) -> str:
        """Write the drawing."""
        return self.sketch.svg()

    def html(self, alt: str = "") -> str:
        """Write it for a page; its own words are there already."""
        return super().html(alt or self.alt)


DIAGRAMS: dict[str, tuple[str, Callable[[], Sketch]]] = {}


def draw(name: str) -> Diagram:
    """Draw a diagram.

    Raises
    ------
    ValueError
        When there is none of this name; the message lists those near it.
    """
    if name not in DIAGRAMS:
        raise ValueError(
            f"expected a diagram, such as {nearest(name, DIAGRAMS)}; got "
            f"{name!r}"
        )
    alt, function = DIAGRAMS[name]
    return Diagram(alt, function())


def _diagram(alt: str) -> Callable[[Callable[[], Sketch]], Callable]:
    """Take a function that draws, and what is seen on its drawing."""

    def take(function: Callable[[], Sketch]) -> Callable[[], Sketch]:
        name = function.__name__.replace("_", "-")
        DIAGRAMS[name] = " ".join(alt.split()), function
        return function

    return take


@_diagram("""
    One look. A query meets three keys. From each key an arrow, thick for the
    first, thinner for the second and thin for the third, leads to its value:
    this is the weight. In the same thickness the values flow together into
    one output.
""")
def one_look() -> Sketch:
    sheet = Sketch(158)
    for x, what in ((30, "question"), (118, "labels"), (214, "texts")):
        sheet.text(x, 10, what, "soft")
    sheet.text(302, 10, "answer", "soft")
    sheet.box(2, 70, 56, 28, "query", "query")
    for i, width in enumerate((7.0, 3.0, 1.0)):
        y = 40 + 44 * i
        sheet.arrow((58, 84), (91, y), role="query", width=1)
        sheet.box(92, y - 14, 52, 28, "key", "key")
        sheet.arrow((144, y), (185, y), role="weight", width=width)
        sheet.box(188, y - 14, 52, 28, "value", "value")
        sheet.arrow((240, y), (271, 84), role="value", width=width)
    sheet.text(165, 150, "weights", "weight")
    sheet.box(274, 70, 54, 28, "output", "output")
    return sheet


@_diagram("""
    Layers and heads. Three layers stand on one another, and the words go
    through them from below. In each layer four heads stand side by side: each
    lets every word ask all words, with queries, keys and values of its own.
""")
def layers_and_heads() -> Sketch:
    sheet = Sketch(212)
    for i in range(3):
        y = 140 - 56 * i
        sheet.box(58, y, 270, 40)
        sheet.text(26, y + 20, f"layer {i + 1}", "soft")
        for j in range(4):
            sheet.box(64 + 66 * j, y + 7, 60, 26, f"head {j + 1}", "weight")
        sheet.arrow((193, y + 56), (193, y + 42))
    sheet.arrow((193, 28), (193, 12))
    sheet.text(193, 204, "a vector for each word")
    return sheet


@_diagram("""
    Encoder and decoder. The encoder reads the cat sat, one word after the
    other, each state handed on to the next; its last state becomes one vector
    of fixed size. From this vector alone the decoder writes le chat dort,
    word after word, and reads each word that it has written.
""")
def encoder_decoder() -> Sketch:
    sheet = Sketch(150)
    sheet.text(70, 12, "encoder", "soft")
    sheet.text(262, 12, "decoder", "soft")
    for i, word in enumerate(("the", "cat", "sat")):
        x = 3 + 48 * i
        sheet.box(x, 58, 36, 34, f"h{'₁₂₃'[i]}")
        sheet.arrow((x + 18, 122), (x + 18, 94))
        sheet.text(x + 18, 134, word)
        sheet.arrow((x + 36, 75), (x + 47, 75))
    sheet.box(148, 50, 30, 50, "c", "ink")
    sheet.text(163, 32, "one vector,\nfixed size")
    for i, word in enumerate(("le", "chat", "dort")):
        x = 196 + 48 * i
        sheet.arrow((x - (17 if i == 0 else 11), 75), (x - 1, 75))
        sheet.box(x, 58, 36, 34, f"s{'₁₂₃'[i]}")
        sheet.arrow((x + 18, 58), (x + 18, 42))
        sheet.text(x + 18, 32, word)
        if i:  # the word before
            sheet.arrow((x - 30 + 16, 36), (x + 6, 57))
    return sheet


@_diagram("""
    A recurrent cell, drawn twice. On the left one cell with an arrow from its
    state back into itself. On the right the same cell unrolled over three
    words: each copy takes a word from below and the state of the copy before
    it, and hands its state to the next. All copies share the same weights.
""")
def unrolled_cell() -> Sketch:
    sheet = Sketch(150)
    sheet.box(14, 60, 46, 36, "cell")
    sheet.arrow((37, 126), (37, 98))
    sheet.text(37, 138, "xₜ")
    sheet.line((60, 78), (76, 78), (76, 40), (37, 40))
    sheet.arrow((37, 40), (37, 59))
    sheet.text(58, 28, "hₜ")
    sheet.text(98, 78, "=", bold=True)
    sheet.text(118, 78, "h₀")
    for i in range(3):
        x = 146 + 64 * i
        sheet.arrow((x - 18, 78), (x - 1, 78))
        sheet.box(x, 60, 46, 36, "cell")
        sheet.arrow((x + 23, 126), (x + 23, 98))
        sheet.text(x + 23, 138, f"x{'₁₂₃'[i]}")
        sheet.arrow((x + 23, 60), (x + 23, 42))
        sheet.text(x + 23, 32, f"h{'₁₂₃'[i]}")
    sheet.text(233, 10, "the same weights in every copy", "soft")
    return sheet


@_diagram("""
    One layer, from below. The vectors x enter. Attention mixes them with one
    another; what it gives is added to x itself, which came past it on a
    residual line, and the sum is normed. Then a feed-forward network treats
    each vector alone; its result is again added to what came past, and
    normed. What leaves has the same shape as x.
""")
def layer() -> Sketch:
    sheet = Sketch(372)
    sheet.text(120, 362, "x: one vector a word")
    parts = [("attention", "words exchange information", "weight"),
             ("feed-forward", "each word alone", "ink")]  # fmt: skip
    for i, (name, what, role) in enumerate(parts):
        y = 300 - 150 * i  # where it begins, from below
        sheet.arrow((120, y + 55), (120, y + 12))
        sheet.line((120, y + 34), (36, y + 34), (36, y - 48))
        sheet.arrow((36, y - 48), (108, y - 48))
        sheet.box(62, y - 24, 116, 34, name, role)
        sheet.text(188, y - 7, what.replace(" ", "\n", 1), "soft",
                   anchor="start")  # fmt: skip
        sheet.arrow((120, y - 24), (120, y - 36))
        sheet.box(110, y - 58, 20, 20, "+")
        sheet.arrow((120, y - 58), (120, y - 70))
        sheet.box(62, y - 94, 116, 22, "norm")
        sheet.text(30, y - 7, "x" if i == 0 else "", "soft", anchor="end")
    sheet.text(188, 250, "residual: what comes in\nis added to the result",
               "soft", anchor="start")  # fmt: skip
    sheet.arrow((120, 56), (120, 26))
    sheet.text(120, 14, "as many vectors, of the same size")
    return sheet


@_diagram("""
    Several heads. The vectors x go into three heads. Each head makes queries,
    keys and values of its own, which are shorter than x, and computes its own
    weights and its own output. The three outputs are put side by side and
    multiplied by one matrix, W O, which gives a vector of the full size.
""")
def multi_head() -> Sketch:
    sheet = Sketch(330)
    sheet.box(45, 296, 240, 26, "x: a vector of the full size")
    for i in range(3):
        x = 8 + 108 * i
        sheet.arrow((x + 49, 296), (x + 49, 276))
        sheet.box(x, 136, 98, 138)
        sheet.text(x + 49, 262, f"head {i + 1}", "soft")
        for j, role in enumerate(("query", "key", "value")):
            sheet.box(x + 6 + 30 * j, 224, 26, 24, role[0], role)
        sheet.arrow((x + 19, 224), (x + 30, 208), role="query")
        sheet.arrow((x + 49, 224), (x + 40, 208), role="key")
        sheet.box(x + 6, 184, 56, 22, "weights", "weight")
        sheet.arrow((x + 79, 224), (x + 66, 168), role="value")
        sheet.arrow((x + 34, 184), (x + 44, 168), role="weight")
        sheet.box(x + 22, 144, 54, 22, "output", "output")
        sheet.arrow((x + 49, 136), (x + 49, 112), role="output")
        sheet.box(45 + 80 * i, 84, 80, 26, f"o{'₁₂₃'[i]}", "output")
    sheet.text(46, 74, "side by side", "soft", anchor="start")
    sheet.arrow((165, 84), (165, 68), role="output")
    sheet.box(120, 42, 90, 24, "Wₒ")
    sheet.arrow((165, 42), (165, 28))
    sheet.text(165, 16, "a vector of the full size")
    return sheet


@_diagram("""
    A cache while a text is written. The keys and values of the five words
    before are kept in two rows. The new word adds one key and one value at the
    end, and only its query is computed: it meets all six keys, and the six
    values are mixed. No earlier word is computed again.
""")
def cache() -> Sketch:
    sheet = Sketch(226)
    words = ("the", "cat", "sat", "on", "the", "mat")
    for i, word in enumerate(words):
        x, new = 44 + 48 * i, i == 5
        sheet.text(x + 20, 12, word, bold=new)
        sheet.box(x, 84, 40, 26, f"k{'₁₂₃₄₅₆'[i]}", "key")
        sheet.box(x, 122, 40, 26, f"v{'₁₂₃₄₅₆'[i]}", "value")
        sheet.arrow((304, 58), (x + 20, 82), role="query", width=1)
    sheet.arrow((304, 20), (304, 32))
    sheet.box(284, 34, 40, 24, "q₆", "query")
    sheet.text(39, 97, "keys", "key", anchor="end")
    sheet.text(39, 135, "values", "value", anchor="end")
    sheet.line((42, 156), (42, 164), (272, 164), (272, 156))
    sheet.text(157, 178, "kept: the cache", "soft")
    sheet.line((282, 156), (282, 164), (326, 164), (326, 156))
    sheet.text(304, 178, "new", "soft")
    sheet.text(165, 210, "the weights of q₆ mix all six values", "output")
    return sheet


@_diagram("""
    The memories of a GPU as three boxes, the fastest and smallest on top. On
    the chip: 20 megabytes at 19 terabytes a second. The GPU's main memory: 40
    gigabytes at 1.5 terabytes a second. The computer's memory: more than one
    terabyte at 0.013 terabytes a second. Numbers of an A100, from Dao and
    others, 2022.
""")
def memory_hierarchy() -> Sketch:
    sheet = Sketch(222)
    levels = [
        ("on the chip (SRAM)", "20 MB", "19 TB/s"),
        ("the GPU's memory (HBM)", "40 GB", "1.5 TB/s"),
        ("the computer's memory", "> 1 TB", "0.013 TB/s"),
    ]
    for i, (name, holds, moves) in enumerate(levels):
        width, y = 170 + 36 * i, 6 + 64 * i
        x = 120 - width / 2 + 4
        sheet.box(x, y, width, 42, f"{name}\n{holds}")
        sheet.text(326, y + 21, moves, anchor="end", bold=True)
        if i:
            for side, ends in ((110, (y - 2, y - 20)), (138, (y - 20, y - 2))):
                sheet.arrow((side, ends[0]), (side, ends[1]))
    sheet.text(165, 196, "small and fast above, large and slow below", "soft")
    sheet.text(165, 214, "an A100, after Dao et al. (2022)", "soft")
    return sheet
