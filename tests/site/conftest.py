"""A bare page with widgets on it, served under the site's policy."""

import threading

import pytest

from attn_course.site.assets import write_scripts
from attn_course.site.server import serve
from attn_course.widgets.base import STATIC


@pytest.fixture
def widget_page(tmp_path, open_page):
    """Put widgets on a bare page, served under the site's policy."""
    servers = []

    def make(*widgets, **options):
        script = (STATIC / "attn-widgets.js").read_text("utf-8")
        (tmp_path / "attn-widgets.js").write_text(script, "utf-8")
        write_scripts(tmp_path / "attn-assets")
        body = "".join(
            widget if isinstance(widget, str) else widget.html()
            for widget in widgets
        )
        (tmp_path / "index.html").write_text(
            "<!doctype html><html lang=en><meta charset=utf-8>"
            '<meta name=viewport content="width=device-width">'
            '<link rel=icon href="data:,"><title>test</title>'
            '<script defer src="attn-widgets.js"></script>'
            f"<body>{body}",
            "utf-8",
        )
        server = serve(tmp_path, port=0)
        servers.append(server)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        port = server.server_address[1]
        return open_page(f"http://127.0.0.1:{port}/index.html", **options)

    yield make
    for server in servers:
        server.shutdown()
        server.server_close()
