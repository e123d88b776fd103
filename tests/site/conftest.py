"""A bare page with widgets on it, and a small book, served as the site is."""

import threading

import lesson_book
import pytest
from browsing import unfold, write_bare_page

from attn_course.site.server import serve


@pytest.fixture
def widget_page(tmp_path, open_page):
    """Put widgets on a bare page, served under the site's policy.

    Their cards are unfolded, or tests could reach only half of them.
    """
    servers = []

    def make(*widgets, folded=False, **options):
        body = "".join(
            widget if isinstance(widget, str) else widget.html()
            for widget in widgets
        )
        write_bare_page(tmp_path, body)
        server = serve(tmp_path, port=0)
        servers.append(server)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        port = server.server_address[1]
        page = open_page(f"http://127.0.0.1:{port}/index.html", **options)
        if not folded:
            unfold(page)
        return page

    yield make
    for server in servers:
        server.shutdown()
        server.server_close()


@pytest.fixture(scope="session")
def lesson_site(tmp_path_factory):
    """Build a small book of guesses, numbers and terms; give its folder."""
    return lesson_book.build(tmp_path_factory.mktemp("lesson"))


@pytest.fixture(scope="session")
def lesson_url(lesson_site):
    """Serve that book; give the address of its lesson."""
    server = serve(lesson_site, port=0)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_address[1]}/book/index.html"
    server.shutdown()
    server.server_close()
