"""Models of the Hugging Face hub, played by a server on this machine."""

import hashlib
import http.server
import json
import os
import subprocess
import sys
import threading

import pytest
import tiny_models

COMMIT = "a" * 40
ANSWER = """
import sys
from attn_course.pretrained import load
for name in sys.argv[1:]:
    try:
        print(load(name).attentions("the cat sat").shape)
    except Exception as error:
        print(type(error).__name__, error)
"""


@pytest.fixture
def hub(tmp_path):
    """Serve one model, "tiny/bert"; give the server."""
    folder = tmp_path / "served"
    tiny_models.save("bert", folder)

    class Hub(http.server.BaseHTTPRequestHandler):
        def do_HEAD(self):
            path = self.path.partition("?")[0]
            start, _, file = path.rpartition("/")
            if path == "/api/models/tiny/bert":
                about = {"id": "tiny/bert", "sha": COMMIT, "siblings": []}
                self.answer(json.dumps(about).encode())
            elif "/tiny/bert/" not in path:
                self.answer(b"", error="RepoNotFound")
            elif "resolve" in start and (folder / file).is_file():
                self.answer((folder / file).read_bytes())
            else:
                self.answer(b"", error="EntryNotFound")

        do_GET = do_HEAD

        def answer(self, body, error=None):
            self.send_response(404 if error else 200)
            if error:
                self.send_header("X-Error-Code", error)
            self.send_header("ETag", hashlib.sha256(body).hexdigest())
            self.send_header("X-Repo-Commit", COMMIT)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            if self.command == "GET":
                self.wfile.write(body)

        def log_message(self, *arguments):
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Hub)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield server
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture
def load(hub, tmp_path):
    """Load models in a process of its own; give a line for each."""
    env = {k: v for k, v in os.environ.items() if k != "HF_HUB_OFFLINE"}
    env |= {
        "HF_ENDPOINT": f"http://127.0.0.1:{hub.server_address[1]}",
        "HF_HOME": str(tmp_path / "cache"),
    }

    def run(*names):
        done = subprocess.run(
            [sys.executable, "-c", ANSWER, *names],
            env=env,
            capture_output=True,
            text=True,
            check=True,
        )
        return done.stdout.splitlines()

    return run


def test_a_model_of_the_hub_is_fetched_once_and_then_there(hub, load):
    found, unknown, packaged = load("tiny/bert", "tiny/none", "minilm")
    assert found == "(2, 4, 3, 3)"
    assert unknown == (
        "ValueError expected one of ['minilm', 'smollm2'], a folder or the "
        "name of a model on the Hugging Face hub, got 'tiny/none'"
    )
    assert packaged == "(6, 12, 5, 5)"

    hub.server_close()  # from here on there is no network
    kept, missing = load("tiny/bert", "tiny/none")
    assert kept == found
    assert missing.startswith(
        "ConnectionError expected a network to fetch 'tiny/none' from the "
        "Hugging Face hub, got none ("
    )
    assert "run `attn-course models`" in missing
