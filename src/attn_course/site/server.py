"""Serve the built site under the security policy that it promises.

python -m attn_course.site.server _build/site --port 8000

Only the standard library is used, so that `make book` can show the last good
site when the environment is broken.
"""

import argparse
import base64
import hashlib
import io
import os
import sys
from html.parser import HTMLParser
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

__all__ = ["bind", "inline_script_hashes", "policy", "serve"]

# Types of <script> that a browser runs; JSON and other data need no hash.
_RUNS = {"", "module", "text/javascript", "application/javascript"}


class _InlineScripts(HTMLParser):
    """Collect the text of each inline script that a browser would run."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=False)
        self.scripts: list[str] = []
        self._inside = False

    def handle_starttag(self, tag: str, attrs: list) -> None:
        given = dict(attrs)
        kind = (given.get("type") or "").strip().lower()
        if tag == "script" and "src" not in given and kind in _RUNS:
            self._inside = True
            self.scripts.append("")

    def handle_endtag(self, tag: str) -> None:
        if tag == "script":
            self._inside = False

    def handle_data(self, data: str) -> None:
        if self._inside:
            self.scripts[-1] += data


def inline_script_hashes(page: str) -> list[str]:
    """Hash each inline script of a page, as a policy names it."""
    parser = _InlineScripts()
    # Browsers hash what they parsed, where a line ends in one character.
    parser.feed(page.replace("\r\n", "\n").replace("\r", "\n"))
    parser.close()
    hashes = []
    for script in parser.scripts:
        digest = hashlib.sha256(script.encode()).digest()
        hashes.append(f"'sha256-{base64.b64encode(digest).decode()}'")
    return list(dict.fromkeys(hashes))


def policy(page: str) -> str:
    """Write the Content-Security-Policy of one page."""
    scripts = " ".join(["'self'", *inline_script_hashes(page)])
    own = "'self' data: blob:"
    return (
        f"default-src 'none'; script-src {scripts}; "
        f"style-src 'self' 'unsafe-inline'; img-src {own}; "
        f"media-src {own}; font-src {own}; frame-src 'self'; "
        # The rest of the directives don't fall back on default-src.
        "base-uri 'none'; form-action 'self'; frame-ancestors 'self'"
    )


class _Handler(SimpleHTTPRequestHandler):
    """Serve files; pages carry their policy, and nothing is cached."""

    protocol_version = "HTTP/1.1"
    # No page, so it needs no policy.
    error_content_type = "text/plain; charset=utf-8"
    error_message_format = "%(code)d %(message)s\n"
    # Windows takes these from its registry, where they may be wrong.
    extensions_map = {  # noqa: RUF012
        **SimpleHTTPRequestHandler.extensions_map,
        ".js": "text/javascript",
        ".mjs": "text/javascript",
        ".css": "text/css",
        ".svg": "image/svg+xml",
        ".woff2": "font/woff2",
    }

    def __init__(self, request: Any, address: Any, server: "_Server") -> None:
        super().__init__(request, address, server, directory=server.folder)

    def send_head(self) -> Any:
        try:
            return self._send_page() or super().send_head()
        except (OSError, ValueError):
            # A name that no file system takes: too long, or with a NUL.
            return self.send_error(404)

    def _send_page(self) -> io.BytesIO | None:
        path = Path(self.translate_path(self.path))
        if path.is_dir() and self.path.split("?")[0].endswith("/"):
            path /= "index.html"
        if path.suffix != ".html" or not path.is_file():
            return None
        content = path.read_bytes()
        self.send_response(200)
        self.send_header("Content-Type", "text/html; charset=utf-8")
        self.send_header("Content-Length", str(len(content)))
        page = content.decode("utf-8", "replace")
        self.send_header("Content-Security-Policy", policy(page))
        self.end_headers()
        return io.BytesIO(content)

    def list_directory(self, path: Any) -> None:
        """Show nothing that no page links to."""
        self.send_error(404)

    def end_headers(self) -> None:
        self.send_header("Cache-Control", "no-cache")
        self.send_header("X-Content-Type-Options", "nosniff")
        self.send_header("Referrer-Policy", "no-referrer")
        super().end_headers()

    def log_message(self, format: str, *args: Any) -> None:
        """Stay quiet: the address is all that a reader needs."""


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    # On Windows this would let two servers share a port.
    allow_reuse_address = sys.platform != "win32"

    def __init__(self, port: int, folder: Path) -> None:
        super().__init__(("127.0.0.1", port), _Handler)
        self.folder = os.fspath(folder)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Stay quiet when a browser closes its side: it often does."""
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(request, client_address)

    def run(self) -> None:
        """Say the address, and serve until Ctrl-C."""
        port = self.server_address[1]
        print(f"\n  http://127.0.0.1:{port}/    (Ctrl-C stops)\n", flush=True)
        try:
            self.serve_forever()
        except KeyboardInterrupt:
            print("\nStopped.")
        finally:
            self.server_close()


def bind(folder: Path, port: int | str, attempts: int = 100) -> _Server:
    """Take the first free port from `port` on; 0 means any.

    The folder may still be in the making: who asks for a page before `run`
    waits for it.

    Raises
    ------
    ValueError
        When `port` is no port.
    OSError
        When none of the ports is free.
    """
    if not str(port).isdecimal() or int(port) > 65535:
        raise ValueError(f"expected a port from 0 to 65535, got {port!r}")
    first = int(port)
    last = min(first + attempts - 1, 65535) if first else 0
    for candidate in range(first, last + 1):
        try:
            return _Server(candidate, folder)
        except OSError as error:
            reason = error.strerror
    raise OSError(
        f"expected a free port from {first} to {last}, got none ({reason}): "
        "name another one, as in PORT=9000"
    )


def serve(folder: Path, port: int | str = 8000) -> _Server:
    """Bind a server to a folder that holds a site.

    The caller runs `run` or `serve_forever` and, at the end, `server_close`.

    Raises
    ------
    FileNotFoundError
        When the folder holds no index.html.
    ValueError, OSError
        As `bind` does.
    """
    if not (Path(folder) / "index.html").is_file():
        raise FileNotFoundError(f"expected {folder}/index.html: build first")
    return bind(folder, port)


def main(arguments: list[str] | None = None) -> None:
    """Serve a folder until Ctrl-C."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--port", default="8000")
    given = parser.parse_args(arguments)
    try:
        server = serve(given.folder, given.port)
    except (OSError, ValueError) as error:
        parser.error(str(error))
    server.run()


if __name__ == "__main__":
    main()
