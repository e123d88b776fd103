"""The server: what it sends, and what it says when a browser misbehaves."""

import contextlib
import os
import socket
import struct
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from attn_course.site import server as module
from attn_course.site.server import bind, policy, serve

PAGE = "<!doctype html><title>x</title><script>let a = 1</script>"


@pytest.fixture(scope="module")
def site(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("served") / "site"
    (folder / "sub").mkdir(parents=True)
    (folder / "empty" / "deep").mkdir(parents=True)
    (folder / "index.html").write_text(PAGE)
    (folder / "sub" / "index.html").write_text(PAGE)
    (folder / "a.js").write_text("let b = 2")
    (folder / "empty" / "secret.txt").write_text("secret")
    (folder.parent / "outside.txt").write_text("outside")
    (folder / "large.html").write_text("x" * 3_000_000)
    return folder


@pytest.fixture(scope="module")
def port(site):
    server = serve(site, port=0)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield server.server_address[1]
    server.shutdown()
    server.server_close()
    thread.join()


def ask(port: int, path: str | bytes, method: str = "GET") -> tuple[int, str]:
    """Send a request as it is; give the status and all that comes back."""
    path = path.encode() if isinstance(path, str) else path
    with socket.create_connection(("127.0.0.1", port)) as client:
        client.sendall(method.encode() + b" " + path + b" HTTP/1.0\r\n\r\n")
        answer = b""
        while part := client.recv(65536):
            answer += part
    text = answer.decode("utf-8", "replace")
    return int(text.split()[1]), text


def header(answer: str, name: str) -> dict[str, str]:
    """Read the directives of one header."""
    (line,) = (
        line.partition(": ")[2]
        for line in answer.partition("\r\n\r\n")[0].splitlines()
        if line.lower().startswith(name.lower())
    )
    parts = (part.strip().partition(" ") for part in line.split(";"))
    return {key: value for key, _, value in parts}


def test_each_page_says_who_may_frame_it_and_where_it_may_send(port):
    for path in ("/", "/index.html", "/sub/", "/sub/index.html?a=1"):
        status, answer = ask(port, path)
        assert status == 200
        rules = header(answer, "Content-Security-Policy")
        assert rules["default-src"] == "'none'"
        assert rules["frame-ancestors"] == "'self'"
        assert rules["base-uri"] == "'none'"
        assert rules["form-action"] == "'self'"
        assert rules["frame-src"] == "'self'"


def test_a_policy_names_no_other_host_and_no_eval():
    rules = policy(PAGE)
    assert "http" not in rules
    assert "unsafe-eval" not in rules
    assert "script-src 'self' 'sha256-" in rules


@pytest.mark.parametrize(
    "path",
    ["/empty", "/empty/", "/empty/deep/", "//", "/./empty/", "/sub/../empty/"],
)
def test_a_folder_is_never_listed(port, path):
    status, answer = ask(port, path)
    if status == 301:
        status, answer = ask(port, path + "/")
    assert status in (200, 404)
    assert "secret" not in answer
    assert "Directory listing" not in answer
    assert (PAGE in answer) == (status == 200)


@pytest.mark.parametrize(
    "path",
    [
        "/%00",
        "/index.html%00",
        "/%00/index.html",
        "/a.js%00.html",
        "/%ff%fe",
        "/%c3",
        "/%ed%a0%80.html",
        "/" + "a" * 300 + ".html",
        "/" + "b/" * 3000,
        "/" + "%2e%2e/" * 20 + "etc/passwd",
        "/..%2foutside.txt",
        "/../outside.txt",
        "/none.html",
        "/%",
        "/%zz",
        "/?",
        "/#",
        b"/\xff\xfe",
        b"/\x00",
        "http://elsewhere/index.html",
        "x",
    ],
    ids=lambda path: repr(path)[:20],
)
@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_an_address_that_leads_nowhere_is_no_fault_of_ours(
    port, path, method, capfd
):
    status, answer = ask(port, path, method)
    assert status in (200, 400, 404)
    if status == 200 and method == "GET":
        assert PAGE in answer
    if status != 200:
        assert "Content-Type: text/plain" in answer
    assert "outside" not in answer.partition("\r\n\r\n")[2]
    assert capfd.readouterr().err == ""


def reset(client: socket.socket) -> None:
    """Close a connection the hard way."""
    linger = struct.pack("hh" if os.name == "nt" else "ii", 1, 0)
    client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
    client.close()


@pytest.mark.parametrize("sent", [b"", b"GE", b"GET / HTTP/1.1\r\n\r\n"])
def test_a_connection_that_is_closed_leaves_no_traceback(port, sent, capfd):
    sent = sent.replace(b"/ ", b"/large.html ")
    for _ in range(5):
        client = socket.create_connection(("127.0.0.1", port))
        client.sendall(sent)
        with contextlib.suppress(OSError):
            reset(client)
    for _ in range(5):  # the threads above have been at work since
        assert ask(port, "/")[0] == 200
    assert capfd.readouterr().err == ""


def test_what_is_not_a_closed_connection_is_still_reported(site, capfd):
    with bind(site, 0) as server:
        for error in (ConnectionResetError(), BrokenPipeError()):
            try:
                raise error
            except OSError:
                server.handle_error(None, ("127.0.0.1", 1))
        assert capfd.readouterr().err == ""
        try:
            raise KeyError("a fault of ours")
        except KeyError:
            server.handle_error(None, ("127.0.0.1", 1))
        assert "a fault of ours" in capfd.readouterr().err


@pytest.mark.parametrize(
    "port", [65536, 70000, 10**30, -1, "abc", "", "1.5", " 80", "0x50", "²"]
)
def test_a_port_that_is_none_is_refused(site, port):
    with pytest.raises(ValueError, match="expected a port from 0 to 65535"):
        bind(site, port)


def test_the_search_for_a_port_ends_at_the_last(site):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 65535))
        taken.listen()
        with pytest.raises(OSError, match=r"from 65535 to 65535, got none \("):
            bind(site, 65535)


def test_an_address_is_held_before_there_is_a_site(tmp_path):
    """Who asks during a build waits for its end, and gets the page."""
    folder = tmp_path / "site"
    with bind(folder, 0) as server:
        port = server.server_address[1]
        with socket.create_connection(("127.0.0.1", port)) as early:
            early.sendall(b"GET / HTTP/1.0\r\n\r\n")
            folder.mkdir()
            (folder / "index.html").write_text(PAGE)
            serving = threading.Thread(target=server.serve_forever)
            serving.start()
            answer = early.recv(65536)
            while part := early.recv(65536):
                answer += part
        server.shutdown()
        serving.join()
    assert PAGE.encode() in answer


def test_the_server_needs_the_standard_library_alone(site):
    """So that a site can be read when the environment is broken."""
    program = Path(module.__file__)
    command = [sys.executable, "-I", "-S", program, site, "--port", "70000"]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 2
    assert "expected a port from 0 to 65535, got '70000'" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_folder_without_a_site_is_refused_in_a_line(tmp_path, capsys):
    with pytest.raises(SystemExit):
        module.main([str(tmp_path)])
    said = capsys.readouterr().err
    assert f"error: expected {tmp_path}" in said
    assert "build first" in said
