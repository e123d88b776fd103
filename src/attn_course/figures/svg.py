"""What matplotlib writes as SVG, made fit to stand in a page.

Colours become the page's variables, with the light tone where a page has
none; letters take the page's font; what no reader needs is left out. A
picture whose id begins with `mask-` becomes a mask, through which the page's
colour of that name is seen.
"""

import base64
import hashlib
import io
import re
from typing import TYPE_CHECKING
from xml.etree import ElementTree

from attn_course.colours import ROLES, SURFACES
from attn_course.optional import need

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["MASK", "themed", "to_svg"]

MASK = "mask-"
_SVG = "{http://www.w3.org/2000/svg}"
_LINK = "{http://www.w3.org/1999/xlink}href"
_VARIABLES = {tone.light: name for name, tone in {**ROLES, **SURFACES}.items()}
_COLOUR = re.compile("|".join(_VARIABLES))
_NUMBER = re.compile(r"-?\d+\.\d+(?:e-?\d+)?")
_USED = re.compile(r"""url\(#([^)]+)\)|href="#([^"]+)\"""")
# What the page's style says already, or what is so without being said.
_DEFAULT = re.compile(
    r"font-family: [^;]+(?:; |$)|stroke-linejoin: (?:miter|round)(?:; |$)|"
    r"stroke-linecap: butt(?:; |$)|stroke-dashoffset: 0(?:; |$)|"
    r"stroke-width: 1\.0(?:; |$)"
)
# A line to where it began: a point.
_POINT = re.compile(r"M(\S+) (\S+?)L\1 \2(?=M|$)")
_NOT_TURNED = re.compile(r"rotate\(-?0 [^)]*\)")


def to_svg(figure: "Figure", name: str) -> str:
    """Write a figure as an `<svg class=name>` that a page can hold."""
    file = io.StringIO()
    figure.savefig(file, format="svg", metadata={"Date": None})
    root = ElementTree.fromstring(file.getvalue())
    _clean(root)
    box = root.get("viewBox", "")
    inside = "".join(_written(child) for child in root)
    inside = _renamed(_COLOUR.sub(lambda found: themed(found[0]), inside))
    return f'<svg class="{name}" viewBox="{box}">{inside}</svg>'


def themed(light: str) -> str:
    """Write a colour as the page's variable.

    >>> themed("#0075d2")
    'var(--attn-query,#0075d2)'
    """
    return f"var(--attn-{_VARIABLES[light]},{light})"


def _clean(element: ElementTree.Element) -> None:
    """Take away what no one needs, here and below."""
    for child in list(element):
        if child.tag in (f"{_SVG}metadata", f"{_SVG}style"):
            element.remove(child)
            continue
        _clean(child)
        if child.tag == f"{_SVG}image":
            _mask(child)
        nothing = child.tag in (f"{_SVG}g", f"{_SVG}defs") and not len(child)
        if nothing or child.get("style") == "fill:none":
            element.remove(child)
    _attributes(element)


def _attributes(element: ElementTree.Element) -> None:
    given = element.attrib
    for name in ("width", "height"):
        if element.tag == f"{_SVG}svg":
            given.pop(name, None)
    if element.tag == f"{_SVG}g":
        given.pop("id", None)
    if "style" in given:
        given["style"] = _DEFAULT.sub("", given["style"]).strip("; ")
    if _NOT_TURNED.fullmatch(given.get("transform", "")):
        del given["transform"]
    for name in ("style", "d"):
        if name in given:
            given[name] = re.sub(r"\s*\n\s*", "", given[name])
    for name, value in given.items():
        if name != _LINK:
            given[name] = _NUMBER.sub(_short, value)
    if "d" in given:
        given["d"] = re.sub(r"\s*([MLCQz])\s*", r"\1", given["d"]).strip()
        if (points := _POINT.findall(given["d"])) and len(points) > 100:
            given["d"] = _cloud(points)
    if "style" in given:
        given["style"] = re.sub(r"([:;]) ", r"\1", given["style"])
        if not given["style"]:
            del given["style"]


def _short(found: re.Match) -> str:
    """Write a number with one digit, small ones with two."""
    number = float(found[0])
    text = f"{number:.1f}" if abs(number) >= 3 else f"{number:.2f}"
    text = text.rstrip("0").rstrip(".")
    return "0" if text == "-0" else text


def _cloud(points: list[tuple[str, str]]) -> str:
    """Write many points as steps from one to the next, in whole pixels."""
    places = sorted({(round(float(x)), round(float(y))) for x, y in points})
    steps, before = [], (0, 0)
    for x, y in places:
        steps.append(f"m{x - before[0]} {y - before[1]}h0")
        before = x, y
    return "".join(steps)


def _mask(image: ElementTree.Element) -> None:
    """Let a grey picture be a mask over the page's colour; shrink any."""
    Image = need("PIL.Image")

    link = re.sub(r"\s", "", image.attrib.pop(_LINK))
    name = image.attrib.pop("id", "")
    raw = base64.b64decode(link.partition(",")[2])
    picture = Image.open(io.BytesIO(raw))
    is_mask = name.startswith(MASK)
    # Grey where it is a mask: what is transparent shows nothing.
    if is_mask:
        black = Image.new("RGBA", picture.size, (0, 0, 0, 255))
        picture = Image.alpha_composite(black, picture.convert("RGBA"))
        picture = picture.convert("L")
    file = io.BytesIO()
    picture.save(file, "PNG", optimize=True)
    link = base64.b64encode(file.getvalue()).decode()
    size = {key: image.get(key, "") for key in ("width", "height")}
    place = image.get("transform", "")
    image.attrib = {
        "href": f"data:image/png;base64,{link}", **size,
        "preserveAspectRatio": "none", "style": "image-rendering: pixelated",
    }  # fmt: skip
    if not is_mask:
        image.set("transform", place)
        return
    inner = ElementTree.Element(f"{_SVG}image", image.attrib)
    image.tag = f"{_SVG}g"
    image.attrib = {"transform": place}
    ident = hashlib.sha256((link + place).encode()).hexdigest()[:8]
    mask = ElementTree.SubElement(image, f"{_SVG}mask", {"id": ident})
    mask.append(inner)
    colour = {**ROLES, **SURFACES}[name.removeprefix(MASK).split("-")[0]]
    ElementTree.SubElement(
        image, f"{_SVG}rect",
        {**size, "fill": colour.light, "mask": f"url(#{ident})"},
    )  # fmt: skip


def _written(element: ElementTree.Element) -> str:
    """Write an element as HTML has it: no names of spaces."""
    tag = element.tag.removeprefix(_SVG)
    inside = "".join(_written(child) for child in element)
    if tag == "g" and not element.attrib:
        return inside
    text = element.text or ""
    inside = (_escaped(text) if text.strip() else "") + inside
    attributes = "".join(
        f' {"href" if name == _LINK else name}="{_escaped(value)}"'
        for name, value in element.attrib.items()
    )
    end = f">{inside}</{tag}>" if inside else "/>"
    return f"<{tag}{attributes}{end}"


def _escaped(text: str) -> str:
    for sign, name in (("&", "amp"), ("<", "lt"), (">", "gt"), ('"', "quot")):
        text = text.replace(sign, f"&{name};")
    return text


def _renamed(text: str) -> str:
    """Give ids that no other chart has, and only where one is used."""
    used = dict.fromkeys(a or b for a, b in _USED.findall(text))
    stem = hashlib.sha256(text.encode("utf-8")).hexdigest()[:8]
    names = {old: f"c{stem}-{i}" for i, old in enumerate(used)}

    def replace(found: re.Match) -> str:
        new = names.get(found[1])
        return f' id="{new}"' if new else ""

    text = re.sub(r' id="([^"]*)"', replace, text)
    for old, new in names.items():
        text = text.replace(f"url(#{old})", f"url(#{new})")
        text = text.replace(f'href="#{old}"', f'href="#{new}"')
    return text
