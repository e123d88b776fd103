"""Photographs and small pictures, each under its name."""

import base64
import html
import io
from collections.abc import Mapping
from typing import Any

import numpy as np
from jaxtyping import Float

from attn_course.figures.charts import Shown
from attn_course.optional import need

__all__ = ["Pictures", "pictures", "sheet"]

# Pixels: what is smaller stays exact, what is larger is a photograph.
SMALL, LARGEST = 160, 480


class Pictures(Shown):
    """Pictures that stand in rows, as many in one as there is room for."""

    css = "attn-chart attn-pictures"

    def __init__(
        self,
        images: Mapping[str, Any],
        per_row: int,
        inches: float,
    ):
        self.images = dict(images)
        self.per_row = per_row
        self.inches = inches

    def __repr__(self) -> str:
        """Name them."""
        return f"<Pictures: {self.words()}>"

    def words(self) -> str:
        """Give their names."""
        return ", ".join(self.images)

    def inside(self) -> str:
        """Write each picture with its name below."""
        each = "".join(
            f"<span>{_written(image)}<b>{html.escape(name)}</b></span>"
            for name, image in self.images.items()
        )
        wide = (
            f"--wide:{self.inches * 6:g}rem;--row:{self.per_row};"
            f"--few:{min(2, self.per_row)}"
        )
        return f'<div style="{wide}">{each}</div>'


def pictures(
    images: Mapping[str, Float[np.ndarray, "rows cols *colours"]],
    *,
    per_row: int | None = None,
    inches: float = 3.2,
) -> Pictures:
    """Show pictures side by side, each with its name.

    Colours are numbers from 0 to 1. A picture without colours is shown in
    cividis, from its lowest number to its highest, NaN as nothing. All stand
    in one row unless `per_row` says how many do, and fewer where the page is
    narrow; each is at most `inches` wide.

    Raises
    ------
    ValueError
        When `per_row` is no positive count.
    """
    if per_row is not None and per_row < 1:
        raise ValueError(f"expected per_row of at least 1, got {per_row}")
    cols = min(per_row or len(images), len(images))
    return Pictures(images, cols, inches)


def _written(image: Float[np.ndarray, "rows cols *colours"]) -> str:
    """Write an `<img>` that carries its pixels; the figure has the words."""
    Image = need("PIL.Image")

    image = np.asarray(image, dtype=float)
    rows, cols, *colours = image.shape
    if not colours:
        low, high = np.nanmin(image), np.nanmax(image)
        scaled = (image - low) / ((high - low) or 1)
        cividis = need("matplotlib").colormaps["cividis"]
        image = cividis(np.nan_to_num(scaled))
        image[..., 3] = ~np.isnan(scaled)
    pixels = (image.clip(0, 1) * 255).round().astype(np.uint8)
    picture, file = Image.fromarray(pixels), io.BytesIO()
    picture.thumbnail((LARGEST, LARGEST))
    small = max(rows, cols) <= SMALL
    if small:
        picture.save(file, "PNG", optimize=True)
    else:
        picture.convert("RGB").save(file, "JPEG", quality=78, optimize=True)
    kind, exact = ("png", ' class="pixels"') if small else ("jpeg", "")
    data = base64.b64encode(file.getvalue()).decode()
    return (
        f'<img alt="" width="{cols}" height="{rows}"{exact} '
        f'src="data:image/{kind};base64,{data}">'
    )


def sheet(
    pictures: Float[Any, "n rows cols"], *, per_row: int = 3
) -> Float[np.ndarray, "sheet_rows sheet_cols"]:
    """Put small pictures on one, row by row, with empty lines between them.

    What stays empty is NaN, which `pictures` leaves without a colour.

    Raises
    ------
    ValueError
        When there is no picture, or `per_row` is no positive count.

    Examples
    --------
    >>> sheet(np.ones((2, 1, 1)), per_row=2)
    array([[ 1., nan,  1.]])
    """
    pictures = np.asarray(pictures, dtype=float)
    if pictures.ndim != 3 or not len(pictures) or per_row < 1:
        raise ValueError(
            "expected pictures of shape (n, rows, cols) and per_row of at "
            f"least 1, got {pictures.shape} and {per_row}"
        )
    n, rows, cols = pictures.shape
    down = -(-n // per_row)
    whole = np.full((down * (rows + 1) - 1, per_row * (cols + 1) - 1), np.nan)
    for i, picture in enumerate(pictures):
        top, left = i // per_row * (rows + 1), i % per_row * (cols + 1)
        whole[top : top + rows, left : left + cols] = picture
    return whole
