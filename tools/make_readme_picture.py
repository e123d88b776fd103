"""Draw the README's picture: where one head of MiniLM looks from "it".

    python tools/make_readme_picture.py

The weights are the recorded ones of the study `minilm-cat`, the colours those
of the course; GitHub shows the one of the two files that fits its theme.
"""

from pathlib import Path

from attn_course.colours import ROLES, SURFACES
from attn_course.widgets import AttentionHeatmap

FOLDER = Path(__file__).parent.parent / "book" / "pictures"
WORDS = "The cat sat on the mat because it was tired .".split()
ASKING = WORDS.index("it")
HEAD = {"layer": 4, "head": 2}
# Half an average letter, the space between words, and where they stand.
HALF, SPACE, LINE, WIDTH, HEIGHT = 5.6, 24, 172, 780, 236


def shares() -> list[float]:
    """Give the weight of each word for the asking one."""
    head = AttentionHeatmap.from_recording("minilm-cat", selection=HEAD)
    return head.weights[ASKING + 1, 1:-1].tolist()  # without [CLS], [SEP]


def centres() -> list[float]:
    """Place the words side by side, and the whole in the middle."""
    widths = [2 * HALF * len(word) for word in WORDS]
    x = (WIDTH - sum(widths) - SPACE * (len(WORDS) - 1)) / 2
    found = []
    for width in widths:
        found.append(x + width / 2)
        x += width + SPACE
    return found


def picture(theme: str) -> str:
    """Write the picture in one of the themes."""
    tone = {
        name: getattr(tones, theme)
        for name, tones in {**ROLES, **SURFACES}.items()
    }
    places, weights = centres(), shares()
    start = places[ASKING]
    arcs, words = [], []
    for i, (word, x, share) in enumerate(
        zip(WORDS, places, weights, strict=True)
    ):
        colour, bold = tone["ink"], ""
        if i == ASKING:
            colour, bold = tone["query"], ' font-weight="700"'
        elif share == max(weights):
            colour, bold = tone["key"], ' font-weight="700"'
        words.append(
            f'<text x="{x:.0f}" y="{LINE}" fill="{colour}"{bold}>{word}</text>'
        )
        if i != ASKING and share >= 0.01:
            radius, rise = abs(x - start) / 2, min(130, abs(x - start) * 0.45)
            arcs.append(
                f'<path d="M{start:.0f} {LINE - 24}A{radius:.0f} {rise:.0f} '
                f'0 0 {int(x > start)} {x:.0f} {LINE - 24}" '
                f'stroke-width="{max(1.0, 20 * share):.1f}"/>'
            )
        if share >= 0.1:
            words.append(
                f'<text x="{x:.0f}" y="{LINE + 26}" font-size="15" '
                f'fill="{tone["weight"]}">{share:.2f}</text>'
            )
    said = "In one head of a small language model, the word it looks at cat"
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} '
        f'{HEIGHT}" role="img" font-family="sans-serif" font-size="20" '
        f'text-anchor="middle"><title>{said}</title>'
        f'<g fill="none" stroke="{tone["weight"]}" stroke-linecap="round" '
        f'stroke-opacity=".75">{"".join(arcs)}</g>{"".join(words)}'
        f'<text x="{WIDTH / 2:.0f}" y="{HEIGHT - 8}" font-size="15" '
        f'fill="{tone["soft"]}">where “it” looks, in layer {HEAD["layer"]}, '
        f"head {HEAD['head']} of MiniLM</text></svg>\n"
    )


def main() -> None:
    """Write both files."""
    for theme in ("light", "dark"):
        path = FOLDER / f"it-looks-at-cat-{theme}.svg"
        path.write_text(picture(theme), "utf-8")


if __name__ == "__main__":
    main()
