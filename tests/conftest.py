"""Fixtures for every test; those for the built site are shared by folder.

- `site_dir`: the built site; fails when it is missing or stale
- `site_url`: its address, served under the site's own security policy
- `browser`: one Chromium that can reach no other host
- `open_page`: opens a page and, at the end, fails if it asked another host
  for anything or wrote an error to the console
- `minilm`, `smollm2`: the two pretrained models, loaded once for all tests;
  without their packages the tests fail and say what to run
"""

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urljoin, urlsplit

import course
import pytest
import typed  # noqa: F401  (before the package, whose annotations it checks)
from hypothesis import settings

from attn_course.pretrained import Model, load

settings.register_profile("course", deadline=None, derandomize=True)
settings.load_profile("course")

BROWSER_FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    # Chromium's events miss what workers ask for; the resolver does not.
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
]


@pytest.fixture(scope="session")
def site_dir() -> Path:
    """Give the folder of the built site."""
    site = course.ROOT / "_build" / "site"
    if not (site / "index.html").is_file():
        pytest.fail("The site is not built: run `make site`.", pytrace=False)
    if not course.is_fresh(course.ROOT, site):
        pytest.fail(
            "The site was built from older files: run `make site`.",
            pytrace=False,
        )
    return site


@pytest.fixture(scope="session")
def site_url(site_dir: Path) -> Iterator[str]:
    """Serve the built site; give its address, which ends in a slash."""
    from attn_course.site.server import serve

    server = serve(site_dir, port=0)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_address[1]}/"
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture(scope="session")
def browser() -> Iterator:
    """Start one Chromium for the whole run."""
    from playwright.sync_api import sync_playwright

    program = course.find_browser()
    if program is None:
        pytest.fail(
            "No Chromium found: `make test` installs one.", pytrace=False
        )
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=program, args=BROWSER_FLAGS
        )
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def asked() -> list[tuple]:
    """List what the two models below asked of a network: nothing."""
    return []


@pytest.fixture(scope="session")
def minilm(asked: list[tuple]) -> Model:
    """Load MiniLM."""
    with _no_network(asked):
        return load("minilm")


@pytest.fixture(scope="session")
def smollm2(asked: list[tuple]) -> Model:
    """Load SmolLM2, which takes 10 to 40 s."""
    with _no_network(asked):
        return load("smollm2", progress=False)


@contextmanager
def _no_network(asked: list[tuple]) -> Iterator[None]:
    """Refuse every connection, and note it."""

    def refuse(*arguments):
        asked.append(arguments)
        raise OSError("there is no network in this test")

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(socket.socket, "connect", refuse)
        patch.setattr(socket, "getaddrinfo", refuse)
        yield


@dataclass
class PageLog:
    """What a page did: every address it asked for and all its complaints."""

    requests: list[str] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)

    @property
    def foreign(self) -> list[str]:
        """Give the addresses on other hosts."""
        return [
            url
            for url in self.requests
            if urlsplit(url).scheme not in {"data", "blob", "about", "file"}
            and urlsplit(url).hostname != "127.0.0.1"
        ]


def _listen(page) -> PageLog:
    log = PageLog()

    def on_console(message) -> None:
        kinds = {"error": log.errors, "warning": log.warnings}
        if message.type in kinds:
            kinds[message.type].append(f"{page.url}: {message.text}")

    def on_page_error(error) -> None:
        log.errors.append(f"{page.url}: {error}")

    page.on("console", on_console)
    page.on("pageerror", on_page_error)
    page.on("request", lambda request: log.requests.append(request.url))
    return log


@pytest.fixture
def open_page(browser, request) -> Iterator[Callable]:
    """Open pages: `open_page("book/index.html", width=360, scheme="dark")`.

    The address is relative to `site_url`, or complete (`http:`, `file:`).
    The page that comes back has loaded; `page.log` tells what it did.
    """
    contexts, logs = [], []

    def open_one(
        address: str | Path = "",
        *,
        width: int = 1280,
        height: int = 800,
        scheme: str = "light",
    ):
        address = str(address)
        if urlsplit(address).scheme not in {"http", "file"}:
            address = urljoin(request.getfixturevalue("site_url"), address)
        context = browser.new_context(
            viewport={"width": width, "height": height}, color_scheme=scheme
        )
        contexts.append(context)
        page = context.new_page()
        page.log = _listen(page)
        logs.append(page.log)
        page.goto(address, wait_until="load")
        return page

    yield open_one
    for context in contexts:
        context.close()
    errors = [error for log in logs for error in log.errors]
    foreign = [url for log in logs for url in log.foreign]
    assert not foreign, f"requests left for other hosts: {foreign}"
    assert not errors, f"errors in the console: {errors}"
