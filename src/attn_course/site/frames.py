"""Show BertViz on the site: each view in a frame of its own.

In a notebook BertViz asks another host for its libraries and writes its
tokens into a script. Here the cell's output is taken apart and put together
again as a page of its own: libraries from our files, data that can't end a
script, a policy that lets nothing in or out. The page that shows it holds a
sandboxed `<iframe>`, which loads when it is seen. The libraries stand inside
each frame: a sandboxed page that was opened as a file may load none.
"""

import hashlib
import html
import json
import re
from importlib import resources
from pathlib import Path
from typing import Any, NamedTuple

from docutils import nodes

__all__ = ["View", "is_view", "page", "read_view", "render", "setup"]

# What a view may hold at most.
LAYERS, HEADS, TOKENS = 4, 4, 32
FOLDER = "_static/bertviz"
LIBRARIES = ("d3.min.js", "jquery.min.js")
# All that BertViz wants of require.js: the two libraries, handed over.
_REQUIRE = """\
function requirejs(names, use) {
  const known = { d3: window.d3, jquery: window.jQuery };
  use(...names.map((name) => known[name]));
}"""
KINDS = {
    "head_view": "head view",
    "model_view": "model view",
    "neuron_view": "neuron view",
}

_ROOT = re.compile(r"""<div id=["']?bertviz-[0-9a-f]{32}\b""")
_DATA = re.compile(r"(?:const params|window\.bertviz_params) = (?=\{)")
_CONFIG = re.compile(r"^require\.config\(\{.*?^\}\);$", re.M | re.S)
_LOG = re.compile(r"^\s*console\.log\(.*$", re.M)
_POLICY = (
    "default-src 'none'; script-src 'unsafe-inline'; "
    "style-src 'unsafe-inline'; img-src data:"
)
_SCRIPT = '\n<script type="text/javascript">\n'
_END = "\n</script>\n"
_LAYOUT = {  # pixels of a view's height: for the whole, and for each token
    "head_view": (110, 22.5),
    "neuron_view": (190, 26),
}
# The model view is 978 pixels wide, wider than a page's text: made smaller.
_ZOOM = 0.73
_STYLE = f"""\
:root {{ color-scheme: light; background: #fff; }}
@media (max-width: 990px) {{ .model_view {{ zoom: {_ZOOM}; }} }}
@media (max-width: 500px) {{ .model_view {{ zoom: 0.5; }} }}"""


class View(NamedTuple):
    """What one call of BertViz gave, taken apart.

    Attributes
    ----------
    kind
        "head_view", "model_view" or "neuron_view".
    markup
        The elements that it draws into.
    data
        Its maps and tokens, and its settings.
    code
        Its script, without the data.
    """

    kind: str
    markup: str
    data: dict[str, Any]
    code: str

    @property
    def shape(self) -> tuple[int, int, int]:
        """Give the largest numbers of layers, heads and tokens."""
        attention = self.data["attention"]
        each = attention.values() if isinstance(attention, dict) else attention
        sizes = [
            (len(one["attn"]), len(one["attn"][0]), len(texts))
            for one in each
            for texts in (one["left_text"], one["right_text"])
        ]
        layers, heads, tokens = (
            max(size) for size in zip(*sizes, strict=True)
        )
        return layers, heads, tokens

    @property
    def height(self) -> int:
        """Estimate how many pixels the view is high."""
        layers, _, tokens = self.shape
        if self.kind == "model_view":
            return round(_ZOOM * (58 + layers * (10 + 21 * tokens))) + 20
        whole, each = _LAYOUT[self.kind]
        return round(whole + each * tokens)


def is_view(text: str) -> bool:
    """Say whether HTML comes from BertViz."""
    return bool(_ROOT.search(text)) and "requirejs(" in text


def read_view(text: str) -> View:
    """Take apart the HTML that BertViz returns.

    Raises
    ------
    ValueError
        When it is built in another way than that of BertViz 1.4, or holds
        more than a page should carry; the message says how to show less.
    """
    head, start, rest = text.partition(_SCRIPT)
    code, end, tail = rest.rpartition(_END)
    # The neuron view has two scripts; a token can't, its \n is escaped.
    code = code.replace(_END + _SCRIPT, "\n")
    where = _DATA.search(code)
    if not start or not end or tail.strip() or where is None:
        raise ValueError("expected the HTML of BertViz 1.4, got another")
    data, length = json.JSONDecoder().raw_decode(code[where.end() :])
    after = code[where.end() + length :]
    # Behind its data BertViz repeats them in a comment.
    code = code[: where.start()] + after.partition("\n")[2]
    markup = head[_ROOT.search(head).start() :]  # type: ignore[union-attr]
    view = View(_kind(data), markup, data, _CONFIG.sub("", code))
    most = (LAYERS, HEADS, TOKENS)
    if any(got > limit for got, limit in zip(view.shape, most, strict=True)):
        raise ValueError(
            f"expected a view of at most {LAYERS} layers, {HEADS} heads and "
            f"{TOKENS} tokens, got {view.shape}: slice the maps before you "
            "hand them to BertViz"
        )
    return view


def _kind(data: dict[str, Any]) -> str:
    """Tell the views apart by their settings."""
    if "bidirectional" in data:
        return "neuron_view"
    return "model_view" if "total_heads" in data else "head_view"


def page(view: View) -> str:
    """Write a view as a page of its own.

    Raises
    ------
    ValueError
        When a script could be ended from within.
    """
    # On a dark page the style of the site turns it round.
    light = {"display_mode": "light"} if "display_mode" in view.data else {}
    # No character can end the script, whatever the tokens are.
    data = json.dumps(view.data | light).replace("<", "\\u003c")
    neuron = view.kind == "neuron_view"
    name = "window.bertviz_params" if neuron else "const params"
    # Its report of d3's version is for its own developers.
    code = _LOG.sub("", view.code)
    own = f"{_REQUIRE}\n{name} = {data};\n{code}"
    scripts = [*_libraries(), own]
    if any("</script" in each or "<!--" in each for each in scripts):
        raise ValueError("expected scripts that can't end themselves")
    tags = "\n".join(f"<script>\n{each}\n</script>" for each in scripts)
    return f"""<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="{_POLICY}">
<meta name="viewport" content="width=device-width">
<link rel="icon" href="data:,">
<title>BertViz: {KINDS[view.kind]}</title>
<style>
{_STYLE}
</style>
</head>
<body class="{view.kind}">
{view.markup}
<noscript>BertViz draws this view with a script.</noscript>
{tags}
</body>
</html>
"""


def _libraries() -> list[str]:
    """Read the libraries that a frame carries."""
    own = resources.files("attn_course") / "site" / "static" / "bertviz"
    return [(own / name).read_text("utf-8").strip() for name in LIBRARIES]


def render(renderer: Any, text: str) -> list[nodes.Node]:
    """Put a frame on the page, and its content where it can be written."""
    env = renderer.renderer.sphinx_env
    view = read_view(text)
    # BertViz names its element at random: equal views get one file.
    content = page(view).replace(view.data["root_div_id"], "bertviz-view")
    digest = hashlib.sha256(content.encode()).hexdigest()[:16]
    name = f"{view.kind.replace('_', '-')}-{digest}.html"
    _frames(env).setdefault(env.docname, {})[name] = content
    up = "../" * env.docname.count("/")
    tokens = next(iter(_texts(view)))
    title = f"BertViz, {KINDS[view.kind]}: {' '.join(tokens)}"
    frame = (
        f'<iframe class="attn-bertviz" data-state src="{up}{FOLDER}/{name}" '
        f'sandbox="allow-scripts" loading="lazy" width="100%" '
        f'height="{view.height}" title="{html.escape(title)}"></iframe>'
    )
    block = nodes.container(classes=["output", "text_html"])
    block += nodes.raw("", frame, format="html")
    return [block]


def _texts(view: View) -> list[list[str]]:
    """Give the tokens of each map."""
    attention = view.data["attention"]
    each = attention.values() if isinstance(attention, dict) else attention
    return [one["left_text"] for one in each]


def _frames(env: Any) -> dict[str, dict[str, str]]:
    """Give the frames of every page: name to content."""
    if not hasattr(env, "attn_frames"):
        env.attn_frames = {}
    return env.attn_frames


def _purge(app: Any, env: Any, docname: str) -> None:
    _frames(env).pop(docname, None)


def _merge(app: Any, env: Any, docnames: set[str], other: Any) -> None:
    theirs = _frames(other)
    _frames(env).update({d: theirs[d] for d in docnames if d in theirs})


def _finish(app: Any, error: Exception | None) -> None:
    """Write the frames."""
    frames = _frames(app.env)
    if error is not None or app.builder.format != "html" or not frames:
        return
    folder = Path(app.outdir) / FOLDER
    folder.mkdir(parents=True, exist_ok=True)
    for pages in frames.values():
        for name, content in pages.items():
            (folder / name).write_text(content, "utf-8")


def setup(app: Any) -> None:
    """Connect to Sphinx."""
    app.connect("env-purge-doc", _purge)
    app.connect("env-merge-info", _merge)
    app.connect("build-finished", _finish)
