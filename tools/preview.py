#!/usr/bin/env python3
"""One page of the book, built alone, served, and built again on a change.

    make page N=06

`make book` executes every page; this executes a single one, with the cache
that the site uses, and its lab on request. It runs inside .venv. The other
pages are not built, so links to them lead nowhere here.
"""

from __future__ import annotations

import argparse
import socket
import sys
from functools import partial
from pathlib import Path

import course

REFERENCES = "book/references"
# What a page alone can't help: it names pages that are not there.
EXPECTED = [
    "myst.xref_missing",
    "ref.ref",
    "ref.doc",
    "ref.numref",
    "ref.term",
]
# Whatever else is written where the page's own sources lie.
NOISE = r"(/|^)(__pycache__|\.ipynb_checkpoints)(/|$)|\.pyc$|~$|/\.[^/]+$"


def stems(root: Path) -> list[str]:
    """List the pages that there are."""
    return sorted(path.stem for path in (root / "book").glob("*.md"))


def find(root: Path, name: str) -> str:
    """Find the stem of a page by its number or its whole name."""
    known = stems(root)
    number = name.zfill(2) if name.isdecimal() else name
    for stem in known:
        if name == stem or (number and number == stem.partition("-")[0]):
            return stem
    raise course.CourseError(
        f"expected N to name a page, got {name!r}. There are "
        f"{', '.join(known)}: make page N=06 (or N=06-multi-head)."
    )


def lab_of(root: Path, stem: str) -> Path:
    """Say where a page's lab is, if it has one."""
    return root / "notebooks" / f"{stem}.ipynb"


def contents(root: Path, stem: str, lab: bool) -> dict:
    """Write a table of contents of one page, for Jupyter Book.

    The references come too: without them no citation would be found.
    """
    beside = [REFERENCES] if stem != Path(REFERENCES).name else []
    if lab and lab_of(root, stem).is_file():
        beside.insert(0, f"notebooks/{stem}")
    return {
        "format": "jb-book",
        "root": f"book/{stem}",
        "chapters": [{"file": name} for name in beside],
    }


def page_of(work: Path, toc: dict) -> Path:
    """Say where the page stands once it is built."""
    return work / "_build" / "html" / f"{toc['root']}.html"


def build(root: Path, work: Path, toc: dict) -> Path:
    """Build into `work`; give the page."""
    import yaml

    settings = yaml.safe_load((root / "_config.yml").read_text("utf-8"))
    settings["sphinx"]["config"]["suppress_warnings"] = EXPECTED
    texts = {"_toc.yml": toc, "_config.yml": settings}
    texts = {name: yaml.safe_dump(data) for name, data in texts.items()}
    kind = course.digest(
        course.inputs_hash(root, pages=False), *texts.values()
    )
    course.prepare_work(work, kind)
    for name, text in texts.items():
        (work / name).write_text(text, "utf-8")
    course.must_run(
        course.sphinx_command(
            root, work, "--toc", work / "_toc.yml",
            "--config", work / "_config.yml", "--quiet",
        ),
        "Building the page", cwd=root, env=course.node_env(),
    )  # fmt: skip
    course.write_stamp(
        work / "kind", course.with_contents(kind, work / "_build")
    )
    (work / "unfinished").unlink()
    return page_of(work, toc)


def rebuild(root: Path, work: Path, toc: dict, *, changed_paths=()) -> None:
    """Build again; what is wrong with the page ends nothing."""
    names = sorted({path.name for path in changed_paths})
    course.say(f"Changed: {', '.join(names)}")
    try:
        build(root, work, toc)
        course.say("Built again")
    except (course.CourseError, OSError) as error:
        course.say(f"{error} The page stays as it was.")


def take_port(port: int) -> socket.socket:
    """Listen on this port of this machine; on any where it is taken."""
    try:
        return socket.create_server(("127.0.0.1", port))
    except OSError:
        return socket.create_server(("127.0.0.1", 0))


def serve(listening: socket.socket, again, watched: list, html: Path) -> None:
    """Serve a folder, and let each open page load anew after a change."""
    import uvicorn
    from sphinx_autobuild.filter import IgnoreFilter
    from sphinx_autobuild.middleware import JavascriptInjectorMiddleware
    from sphinx_autobuild.server import RebuildServer
    from starlette.applications import Starlette
    from starlette.middleware import Middleware
    from starlette.routing import Mount, WebSocketRoute
    from starlette.staticfiles import StaticFiles

    host = "{}:{}".format(*listening.getsockname())
    watcher = RebuildServer(watched, IgnoreFilter([], [NOISE]), again)
    app = Starlette(
        routes=[
            WebSocketRoute("/websocket-reload", watcher),
            Mount("/", app=StaticFiles(directory=html, html=True)),
        ],
        middleware=[Middleware(JavascriptInjectorMiddleware, ws_url=host)],
        lifespan=watcher.lifespan,
    )
    config = uvicorn.Config(app, log_level="warning")
    uvicorn.Server(config).run(sockets=[listening])


def main(arguments: list[str] | None = None) -> int:
    """Build, print the address, serve until Ctrl-C."""
    parser = argparse.ArgumentParser(prog="preview.py", description=__doc__)
    parser.add_argument("page", help="a page's number or name")
    parser.add_argument("--lab", action="store_true", help="its lab too")
    parser.add_argument("--port", type=int, default=8000)
    parser.add_argument("--once", action="store_true", help="don't serve")
    given = parser.parse_args(arguments)
    root = course.ROOT
    try:
        stem = find(root, given.page)
        toc = contents(root, stem, given.lab)
        work = root / "_build" / "page" / stem
        if not given.lab and lab_of(root, stem).is_file():
            course.say("Numbers that its lab reports are missing (LAB=yes)")
        with course.one_at_a_time(root / "_build"):
            page = build(root, work, toc)
    except (course.CourseError, OSError) as error:
        print(f"\nError: {error}", file=sys.stderr)
        return 1
    if given.once:
        course.say(f"Built {page}")
        return 0
    html = work / "_build" / "html"
    listening = take_port(given.port)
    address = "http://{}:{}".format(*listening.getsockname())
    course.say(f"Serving {address}/{page.relative_to(html).as_posix()}")
    course.say("It is built again on a change; Ctrl-C ends")
    watched = [root / name for name in ("book", "notebooks", "src")]
    serve(listening, partial(rebuild, root, work, toc), watched, html)
    return 0


if __name__ == "__main__":
    sys.exit(main())
