"""The script behind `make`: what it promises when things go wrong."""

import ast
import re
import socket
import subprocess
import sys
import threading
import urllib.request
from pathlib import Path

import address
import course
import pytest


def write(root: Path, files: dict[str, str]) -> Path:
    for name, text in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, "utf-8")
    return root


# --- Python and the environment -------------------------------------------


@pytest.mark.parametrize("version", [(3, 9, 6), (3, 10, 1), (3, 14, 0)])
def test_another_python_is_refused_by_name(version):
    with pytest.raises(course.CourseError) as caught:
        course.check_python(version)
    message = str(caught.value)
    assert f"got {version[0]}.{version[1]}" in message
    assert "3.11, 3.12 or 3.13" in message
    assert "PYTHON=python3.12" in message


@pytest.mark.parametrize("version", [(3, 11), (3, 12, 4), (3, 13, 0)])
def test_supported_pythons_pass(version):
    course.check_python(version)


@pytest.mark.parametrize(
    "name",
    ["course", "telling", "folders", "installed", "address", "releasing"],
)
def test_an_old_python_can_read_the_script_far_enough_to_refuse(name):
    source = (course.ROOT / "tools" / f"{name}.py").read_text("utf-8")
    # Python 3.8 is the oldest grammar that a system still ships.
    tree = ast.parse(source, feature_version=(3, 8))
    modules = {
        (getattr(node, "module", None) or node.names[0].name).split(".")[0]
        for node in ast.walk(tree)
        if isinstance(node, (ast.Import, ast.ImportFrom))
    }
    ours = {path.stem for path in (course.ROOT / "tools").glob("*.py")}
    assert modules - ours <= sys.stdlib_module_names


def test_a_broken_environment_is_made_anew(tmp_path, monkeypatch, capsys):
    venv = write(tmp_path / ".venv", {"pyvenv.cfg": "home = /nowhere\n"})
    calls = []

    def fake(command, what, **options):
        calls.append(command)
        assert not venv.exists(), "the broken one stands in the way"

    monkeypatch.setattr(course, "must_run", fake)
    course.make_venv(venv)
    assert calls[0][1:3] == ["-m", "venv"]
    assert "making it anew" in capsys.readouterr().out


def test_a_working_environment_is_left_alone(monkeypatch):
    monkeypatch.setattr(course, "must_run", pytest.fail)
    version = course.make_venv(Path(sys.prefix))
    assert version == ".".join(map(str, sys.version_info[:3]))


def test_set_up_installs_once_until_an_input_changes(tmp_path, monkeypatch):
    write(tmp_path, {"pyproject.toml": "a", "constraints.txt": "b"})
    (tmp_path / ".venv").mkdir()
    calls = []
    monkeypatch.setattr(course, "ROOT", tmp_path)
    monkeypatch.setattr(course, "make_venv", lambda venv: "3.11.7")
    monkeypatch.setattr(
        course, "must_run", lambda command, what, **_: calls.append(command)
    )
    course.set_up()
    course.set_up()
    assert len(calls) == 1
    (tmp_path / "constraints.txt").write_text("c")
    course.set_up()
    assert len(calls) == 2


def test_a_failed_install_is_tried_again(tmp_path, monkeypatch):
    write(tmp_path, {"pyproject.toml": "a", "constraints.txt": "b"})
    (tmp_path / ".venv").mkdir()
    monkeypatch.setattr(course, "ROOT", tmp_path)
    monkeypatch.setattr(course, "make_venv", lambda venv: "3.11.7")

    def fail(command, what, **options):
        raise course.CourseError(what)

    monkeypatch.setattr(course, "must_run", fail)
    for _ in range(2):
        with pytest.raises(course.CourseError):
            course.set_up()


def test_one_variable_chooses_where_torch_comes_from():
    assert course.torch_index({}) == []
    option, address = course.torch_index({"ATTN_TORCH_INDEX": "cpu"})
    assert option == "--extra-index-url"
    assert address.endswith("/cpu")
    own = {"ATTN_TORCH_INDEX": "https://example.org/simple"}
    assert course.torch_index(own)[1] == "https://example.org/simple"


def test_a_silent_command_is_spoken_for(capsys):
    code = course.run(
        [sys.executable, "-c", "import time; time.sleep(2.5); print('end')"],
        quiet_seconds=1.0,
    )
    out = capsys.readouterr().out
    assert code == 0
    assert "still working" in out
    assert "end" in out


def test_test_all_runs_what_is_slow_too(monkeypatch, tmp_path):
    """Options of the user's own come later, so that they count."""
    given = course.parser().parse_args(["test-all", "tests", "-k", "x"])
    monkeypatch.setattr(course, "ROOT", tmp_path)
    write(tmp_path, {"_build/dist/a.whl": ""})
    seen = []
    monkeypatch.setattr(course, "cmd_test", lambda given: seen.append(given))
    monkeypatch.setattr(course, "try_wheel", lambda *arguments: None)
    given.function(given)
    assert seen[0].rest == ["-m", "", "tests", "-k", "x"]


def test_locks_may_stand_in_each_other(tmp_path):
    with course.one_at_a_time(tmp_path / "a"):
        held = list(course.HELD)
        with course.one_at_a_time(tmp_path / "b"):
            assert len(course.HELD) == 2
        assert held == course.HELD
    assert course.HELD == []


def test_make_help_lists_every_command():
    makefile = (course.ROOT / "Makefile").read_text("utf-8")
    for name in vars(course):
        if name.startswith("cmd_"):
            command = name[4:].replace("_", "-")
            assert f"\n{command}: ## " in makefile, command


# --- Stamps ---------------------------------------------------------------

PROJECT = {
    "_config.yml": "title: x\n",
    "_toc.yml": "root: book/index\n",
    "book/index.md": "# Title\n",
    "src/attn_course/core.py": "x = 1\n",
    "tests/test_x.py": "",
}


@pytest.fixture
def project(tmp_path):
    root = write(tmp_path / "project", PROJECT)
    write(root, {".gitignore": "_build/\n__pycache__/\n"})
    subprocess.run(["git", "init", "-q"], cwd=root, check=True)
    return root


@pytest.mark.parametrize(
    "name", ["book/index.md", "src/attn_course/core.py", "_config.yml"]
)
def test_an_edited_input_makes_the_site_stale(project, name):
    before = course.inputs_hash(project)
    (project / name).write_text("other\n")
    assert course.inputs_hash(project) != before


def test_a_new_input_makes_the_site_stale(project):
    before = course.inputs_hash(project)
    write(project, {"notebooks/09-new.ipynb": "{}"})
    assert course.inputs_hash(project) != before


def test_other_files_do_not_make_the_site_stale(project):
    before = course.inputs_hash(project)
    write(
        project,
        {
            "tests/test_x.py": "changed",
            "src/attn_course/__pycache__/core.pyc": "ignored",
            "src/attn_course.egg-info/PKG-INFO": "ignored",
            "notebooks/.ipynb_checkpoints/01-a.ipynb": "ignored",
            "book/.index.md.swp": "ignored",
            "book/index.md~": "ignored",
            "README.md": "changed",
        },
    )
    assert course.inputs_hash(project) == before


def test_what_git_thinks_of_a_folder_changes_nothing(project, monkeypatch):
    stamp = course.inputs_hash(project)
    (project / ".gitignore").write_text("*")
    assert course.inputs_hash(project) == stamp
    monkeypatch.setenv("PATH", "")
    monkeypatch.setenv("GIT_DIR", str(project / "none"))
    assert course.inputs_hash(project) == stamp
    write(project, {"book/index.md": "other"})
    assert course.inputs_hash(project) != stamp


def test_pages_can_be_left_out_of_the_hash(project):
    before = course.inputs_hash(project, pages=False)
    (project / "book" / "index.md").write_text("other\n")
    assert course.inputs_hash(project, pages=False) == before
    (project / "_config.yml").write_text("other\n")
    assert course.inputs_hash(project, pages=False) != before


@pytest.mark.parametrize(
    "name, every_page",
    [
        ("experiments/dyck.py", False),
        ("functional.py", False),
        ("site/ledger.py", True),
        ("claims/chapter_03.toml", True),
        ("experiments/rules.py", True),
    ],
)
def test_an_edit_of_the_package_counts_for_every_page_or_for_some(
    project, name, every_page
):
    write(project, {f"src/attn_course/{name}": "x = 1"})
    before = course.inputs_hash(project, pages=False)
    whole = course.inputs_hash(project)
    write(project, {f"src/attn_course/{name}": "x = 2"})
    assert course.inputs_hash(project) != whole
    after = course.inputs_hash(project, pages=False)
    assert (after != before) is every_page


# --- Building: the last good site stays -----------------------------------

BUILDER = """
import sys, pathlib
source = pathlib.Path("book/index.md").read_text()
html = pathlib.Path("_build/work/_build/html")
html.mkdir(parents=True, exist_ok=True)
(html / "index.html").write_text(source)
executed = html.parent / "jupyter_execute" / "notebooks"
executed.mkdir(parents=True, exist_ok=True)
(executed / "one.ipynb").write_text("{}")
sys.exit("fail" in source)
"""


def build(project: Path) -> bool:
    command = [sys.executable, "-c", BUILDER]
    return course.build_site(project, project / "_build", command)


def shown(project: Path) -> str:
    return (project / "_build" / "site" / "index.html").read_text()


def test_a_site_is_built_once(project):
    assert build(project)
    assert shown(project) == "# Title\n"
    assert not build(project)
    assert (project / "_build" / "notebooks" / "one.ipynb").is_file()


def test_a_failing_build_leaves_the_last_good_site(project):
    build(project)
    (project / "book" / "index.md").write_text("fail")
    for _ in range(2):
        # Twice: the second must not take the first for a success.
        with pytest.raises(course.CourseError, match="Building the site"):
            build(project)
        assert shown(project) == "# Title\n"
    (project / "book" / "index.md").write_text("mended")
    assert build(project)
    assert shown(project) == "mended"


def test_a_failed_build_makes_sphinx_forget(project):
    (project / "book" / "index.md").write_text("fail")
    with pytest.raises(course.CourseError):
        build(project)
    left = project / "_build" / "work" / "left-over"
    left.touch()
    (project / "book" / "index.md").write_text("mended")
    build(project)
    assert not left.exists()


def test_a_changed_style_makes_sphinx_forget_and_a_page_does_not(project):
    build(project)
    kept = project / "_build" / "work" / "kept"
    kept.touch()
    (project / "book" / "index.md").write_text("another page")
    build(project)
    assert kept.exists()
    (project / "_config.yml").write_text("title: y\n")
    build(project)
    assert not kept.exists()


def test_a_swap_cut_in_the_middle_is_mended(project):
    build(project)
    site = project / "_build" / "site"
    site.rename(site.with_name("site.old"))
    assert not build(project)
    assert shown(project) == "# Title\n"


def test_an_interrupted_build_leaves_the_last_good_site(project, monkeypatch):
    build(project)
    (project / "book" / "index.md").write_text("new")

    def stop(*arguments, **options):
        raise KeyboardInterrupt

    monkeypatch.setattr(course, "run", stop)
    with pytest.raises(KeyboardInterrupt):
        build(project)
    assert shown(project) == "# Title\n"
    monkeypatch.undo()
    assert build(project)
    assert shown(project) == "new"


# --- The public address ---------------------------------------------------


def test_a_new_address_is_written_everywhere(tmp_path):
    old = "https://github.com/attn-course/attn-course"
    colab = "https://colab.research.google.com/github/attn-course/attn-course"
    write(
        tmp_path,
        {
            "_config.yml": f"repository:\n  url: {old}\n",
            "README.md": f"<{old}> and {old}-other",
            "notebooks/01-a.ipynb": f'"pip install git+{old}.git@v1"',
            "book/index.md": f"{colab}/blob/main/notebooks/01-a.ipynb",
        },
    )
    new = "https://github.com/teacher/my.fork"
    changed = course.rewrite_url(tmp_path, new + "/")
    assert len(changed) == 4
    assert course.current_url(tmp_path) == new
    readme = (tmp_path / "README.md").read_text()
    assert readme == f"<{new}> and {old}-other"
    notebook = (tmp_path / "notebooks" / "01-a.ipynb").read_text()
    assert f"git+{new}.git@v1" in notebook
    page = (tmp_path / "book" / "index.md").read_text()
    assert "/github/teacher/my.fork/blob/" in page
    assert course.rewrite_url(tmp_path, new) == []


FORKS = [
    "https://github.com/teacher/my-fork",
    "https://github.com/teacher/attn-course",
    "https://github.com/attn-course/attn-course-2",
    "https://github.com/a/b.c",
]


@pytest.fixture
def copied(tmp_path):
    """Copy every file where the address may stand."""
    for path in course.url_files(course.ROOT):
        name = path.relative_to(course.ROOT).as_posix()
        write(tmp_path, {name: path.read_text("utf-8")})
    return tmp_path


def texts_of(root: Path) -> dict[str, str]:
    return {
        path.relative_to(root).as_posix(): path.read_text("utf-8")
        for path in course.url_files(root)
    }


@pytest.mark.parametrize("new", FORKS)
def test_a_fork_is_more_than_an_address(copied, new):
    """Its clone has its own name, and it has none of the tags."""
    old, name = course.current_url(copied), new.rpartition("/")[2]
    before = texts_of(copied)
    changed = course.rewrite_url(copied, new)
    after = texts_of(copied)
    assert {path.relative_to(copied).as_posix() for path in changed} == {
        path for path in before if old in before[path]
    }
    addresses, clones = 0, 0
    for path, text in after.items():
        found = re.findall(r"github\.com[/:]([\w.-]+/[\w-]+[\w.-]*)", text)
        ours = [one for one in found if one.startswith(course.short(new))]
        addresses += len(ours)
        was = before[path].count(old)
        assert len(ours) == was, path
        assert not re.search(rf"{course.short(new)}\S*v\d", text), path
        for line in re.findall(r"git clone .*?\scd (\S+)", text, re.S):
            clones += 1
            assert line == name, path
    assert addresses > 10
    assert clones >= 2
    assert course.rewrite_url(copied, new) == []
    # The way back leads home, but for tags.
    course.rewrite_url(copied, old)
    tag = rf"({old}/\S*)refs/tags/v[\d.]+\d"
    for path, text in texts_of(copied).items():
        plain = re.sub(tag, r"\1refs/heads/main", before[path])
        assert text == plain, path


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("git clone https://github.com/o/n && cd n", "… && cd fork"),
        ("git clone https://github.com/o/n.git\ncd n\n", "….git\ncd fork\n"),
        ("git clone git@github.com:o/n.git; cd n", None),
        ("git clone https://github.com/o/n-2 && cd n-2", "same"),
        ("git clone https://github.com/x/n && cd n", "same"),
        ("cd n", "same"),
        ("https://github.com/o/n.js and o/n", "same"),
        ("See https://github.com/o/n.", "See …."),
        ('pip "https://github.com/o/n/archive/refs/tags/v0.1.0.zip"',
         'pip "…/archive/refs/heads/main.zip"'),
        ("https://github.com/o/n/archive/v2.10.tar.gz",
         "…/archive/main.tar.gz"),
        ("https://github.com/o/n/archive/refs/heads/main.zip",
         "…/archive/refs/heads/main.zip"),
        ("git+https://github.com/o/n.git@v0.1.0", "git+….git@main"),
        ("git+https://github.com/o/n.git@0a1b2c", "git+….git@0a1b2c"),
        ("https://github.com/o/n/blob/v0.1.0/README.md",
         "…/blob/main/README.md"),
        ("https://github.com/x/y/blob/v0.1.0/README.md", "same"),
    ],
)  # fmt: skip
def test_what_an_address_becomes_in_a_text(tmp_path, text, wanted):
    settings = "repository:\n  url: https://github.com/o/n\n  branch: main\n"
    write(tmp_path, {"_config.yml": settings, "README.md": text})
    course.rewrite_url(tmp_path, "https://github.com/me/fork")
    after = (tmp_path / "README.md").read_text("utf-8")
    if wanted is None:
        wanted = "git clone git@github.com:me/fork.git; cd fork"
    wanted = text if wanted == "same" else wanted
    whole = wanted.replace("…", "https://github.com/me/fork")
    if wanted.startswith("… &&") or wanted.startswith("….git\n"):
        whole = f"git clone {whole}"
    assert after == whole


@pytest.mark.parametrize(
    "host",
    [
        "https://colab.research.google.com/github/{}/blob/{}/notebooks/a.ipynb",
        "https://mybinder.org/v2/gh/{}/{}?urlpath=lab",
        "https://raw.githubusercontent.com/{}/{}/README.md",
        "https://codeload.github.com/{}/zip/{}",
        "https://nbviewer.org/github/{}/blob/{}/notebooks/a.ipynb",
    ],
)
def test_other_hosts_name_the_fork_and_its_branch(tmp_path, host):
    settings = "repository:\n  url: https://github.com/o/n\n  branch: trunk\n"
    page = tmp_path / "book" / "a.md"
    write(tmp_path, {"_config.yml": settings})
    write(tmp_path, {"book/a.md": host.format("o/n", "v1.2.3")})
    course.rewrite_url(tmp_path, "https://github.com/me/fork")
    assert page.read_text("utf-8") == host.format("me/fork", "trunk")


def test_an_address_that_was_half_written_is_written_again(
    copied, monkeypatch
):
    new = FORKS[0]
    wanted = None
    for stop in (3, 1, None):
        done = []

        def write_whole(path, content, stop=stop, done=done):
            if len(done) == stop:
                raise KeyboardInterrupt
            done.append(path)
            path.write_bytes(content)

        monkeypatch.setattr(address, "write_whole", write_whole)
        if stop is None:
            course.rewrite_url(copied, new)
            wanted = texts_of(copied)
        else:
            with pytest.raises(KeyboardInterrupt):
                course.rewrite_url(copied, new)
    assert not any(
        "/attn-course/attn-course" in text for text in wanted.values()
    )


def test_no_other_file_holds_the_address():
    """But for these tests, and what is built."""
    address = course.short(course.current_url(course.ROOT)).encode()
    folders = (".github", "benchmarks", "src", "tools", "web/src")
    files = [path for path in course.ROOT.iterdir() if path.is_file()]
    for name in folders:
        files += (course.ROOT / name).rglob("*")
    found = {
        path
        for path in files
        if path.is_file() and address in path.read_bytes()
    }
    assert found
    assert found <= {*course.url_files(course.ROOT)}


def test_line_ends_stay_as_they_are(tmp_path):
    url = "https://github.com/o/n"
    write(tmp_path, {"_config.yml": f"url: {url}\n"})
    (tmp_path / "README.md").write_bytes(f"{url}\r\nä\r\n".encode())
    course.rewrite_url(tmp_path, "https://github.com/me/fork")
    after = (tmp_path / "README.md").read_bytes()
    assert after == "https://github.com/me/fork\r\nä\r\n".encode()


@pytest.mark.parametrize(
    "url",
    [
        "",
        "github.com/a/b",
        "https://example.org/a/b",
        "https://github.com/a",
        "https://github.com/a/..",
        "https://github.com/./b/",
    ],
)
def test_another_form_of_address_is_refused(tmp_path, url):
    with pytest.raises(course.CourseError, match=r"https://github\.com/you"):
        course.rewrite_url(tmp_path, url)


# --- A release -------------------------------------------------------------

CHANGES = """# Changes

## 0.2.1 (2026-12-01)

- A mask.

- A widget.

## 0.2 (2026-11-01)

- Old.
"""


def release(root: Path, tag: str, changes: str = CHANGES) -> str:
    project = '[project]\nname = "x"\nversion = "0.2.1"\n'
    write(root, {"pyproject.toml": project, "CHANGELOG.md": changes})
    return course.release_notes(root, tag)


def test_a_release_tells_its_own_part_of_the_changelog(tmp_path):
    assert release(tmp_path, "v0.2.1") == "- A mask.\n\n- A widget.\n"


@pytest.mark.parametrize(
    ("tag", "changes", "message"),
    [
        ("v0.2", CHANGES, "expected the tag v0.2.1"),
        ("", CHANGES, "got ''"),
        ("v0.2.1", CHANGES.replace("0.2.1", "0.2.10"), "got none"),
        ("v0.2.1", CHANGES.replace("2026-12-01", "not released"), "a date"),
    ],
)
def test_a_release_of_something_else_is_refused(
    tmp_path, tag, changes, message
):
    with pytest.raises(course.CourseError, match=message):
        release(tmp_path, tag, changes)


# --- The server -----------------------------------------------------------


@pytest.fixture
def served(tmp_path):
    from attn_course.site.server import serve

    write(
        tmp_path,
        {
            "index.html": "<script>let a = 1</script>",
            "sub/index.html": "<p>Sub</p>",
            "a.js": "let b = 2",
        },
    )
    servers = []

    def start(port=0):
        server = serve(tmp_path, port=port)
        servers.append(server)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        return server

    yield start
    for server in servers:
        server.shutdown()
        server.server_close()


def fetch(server, path: str):
    port = server.server_address[1]
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/{path}") as answer:
        return answer.headers, answer.read().decode()


def test_the_next_port_is_taken_when_one_is_busy(served):
    with socket.socket() as busy:
        busy.bind(("127.0.0.1", 0))
        busy.listen()
        port = busy.getsockname()[1]
        assert port < served(port).server_address[1] < port + 100


def test_only_this_machine_is_served(served):
    assert served().server_address[0] == "127.0.0.1"


def test_pages_carry_their_policy_and_files_do_not(served):
    server = served()
    for path in ("", "index.html", "index.html?q=1", "sub/"):
        headers, _ = fetch(server, path)
        assert "default-src 'none'" in headers["Content-Security-Policy"]
    headers, body = fetch(server, "a.js")
    assert headers["Content-Security-Policy"] is None
    assert headers["Content-Type"] == "text/javascript"
    assert body == "let b = 2"


def test_a_folder_without_a_page_is_refused(tmp_path):
    from attn_course.site.server import serve

    with pytest.raises(FileNotFoundError, match=r"index\.html"):
        serve(tmp_path)


def test_inline_scripts_are_named_by_their_hash():
    from attn_course.site.server import inline_script_hashes

    # `printf 'let a = 1' | openssl dgst -sha256 -binary | base64`
    known = "'sha256-LAfYd7pbFUgwfQu8b4q135PeTG2z+/coPEUYCd74eCQ='"
    page = (
        "<script>let a = 1</script>\r\n"
        "<script type='module'>let a = 1</script>"
        "<script type='application/json'>{}</script>"
        "<script src='a.js'></script>"
        "<p onclick='x()'>No hash for handlers</p>"
    )
    assert inline_script_hashes(page) == [known]
    crlf = inline_script_hashes("<script>a\r\nb</script>")
    assert crlf == inline_script_hashes("<script>a\nb</script>")
    entity = inline_script_hashes("<script>a && b &amp; c</script>")
    assert entity != inline_script_hashes("<script>a && b & c</script>")


def test_a_command_ends_although_what_it_started_holds_the_pipe(capsys):
    orphan = "import time; time.sleep(600)"
    parent = (
        "import subprocess, sys; print('started');"
        f"subprocess.Popen([sys.executable, '-c', {orphan!r}]);"
        "sys.exit(3)"
    )
    assert course.run([sys.executable, "-c", parent]) == 3
    assert "started" in capsys.readouterr().out
