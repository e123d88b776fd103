"""Plain HTML tables: what widgets fall back on and what cells show."""

import html
from collections.abc import Iterable, Sequence

__all__ = ["html_table", "span"]


def html_table(
    caption: str,
    head: Sequence[str],
    rows: Sequence[tuple[str, Sequence[str]]],
    *,
    attributes: str = "",
) -> str:
    """Write a table; every text is escaped.

    `head` names the columns, the first one included; each row is its name
    and its cells. `attributes` stand in the table's tag as they are.

    Examples
    --------
    >>> html_table("Tiny", ["word", "weight"], [("<it>", ["0.5"])])[-68:]
    '<tr><th scope="row">&lt;it&gt;</th><td>0.5</td></tr></tbody></table>'
    """
    escape = html.escape
    columns = "".join(f'<th scope="col">{escape(text)}</th>' for text in head)
    body = "".join(
        f'<tr><th scope="row">{escape(name)}</th>'
        + "".join(f"<td>{escape(cell)}</td>" for cell in cells)
        + "</tr>"
        for name, cells in rows
    )
    return (
        f"<table{attributes}><caption>{escape(caption)}</caption>"
        f"<thead><tr>{columns}</tr></thead><tbody>{body}</tbody></table>"
    )


def span(values: Iterable[float], form: str = ".2f") -> str:
    """Write the smallest and the largest, or the one that they are.

    Examples
    --------
    >>> span([0.5, 0.25])
    '0.25 to 0.50'
    >>> span([0.501, 0.499])
    '0.50'
    """
    each = list(values)
    low, high = (f"{x:{form}}" for x in (min(each), max(each)))
    return low if low == high else f"{low} to {high}"
