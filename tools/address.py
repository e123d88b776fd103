"""The public address: where it stands, and how another one is put there."""

from __future__ import annotations

import re
from pathlib import Path

from folders import write_whole
from telling import CourseError

# Of an owner or a project; "." and ".." are folders.
NAME = r"(?!\.{1,2}(?:/|$))[A-Za-z0-9_.-]+"
URL_PATTERN = re.compile(rf"https://github\.com/{NAME}/{NAME}")


def current_url(root: Path) -> str:
    """Read the public address from _config.yml."""
    text = (root / "_config.yml").read_text("utf-8")
    match = re.search(r"^ *url: *(\S+) *$", text, re.MULTILINE)
    if match is None:
        raise CourseError("expected `url: …` in _config.yml, found none.")
    return match.group(1)


def branch(root: Path) -> str:
    """Read the branch that launch buttons open from _config.yml."""
    text = (root / "_config.yml").read_text("utf-8")
    match = re.search(r"^ *branch: *(\S+) *$", text, re.MULTILINE)
    return match[1] if match else "main"


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
    url = url.strip().rstrip("/").removesuffix(".git")
    if not URL_PATTERN.fullmatch(url):
        raise CourseError(
            f"expected URL=https://github.com/you/your-fork, got {url!r}. "
            "The theme knows addresses of this form only."
        )
    old, new = short(current_url(root)), short(url)
    if old == new:
        return []
    texts = {path: path.read_bytes().decode() for path in url_files(root)}
    written = {
        path: readdress(text, old, new, branch(root))
        for path, text in texts.items()
    }
    changed = [path for path in texts if written[path] != texts[path]]
    # The settings come last: they tell a later run what is left to change.
    changed.sort(key=lambda path: path.name == "_config.yml")
    for path in changed:
        write_whole(path, written[path].encode())
    return changed


# Hosts, with their folders, where owner/name follows.
HOSTS = (
    r"(?:github\.com|\w+\.githubusercontent\.com|codeload\.github\.com"
    r"|api\.github\.com/repos|/github|/v2/gh)[/:]"
)
# A longer name that only starts like ours is another project.
END = r"(?![\w-]|\.(?!git\b)[\w-])"
TAG = r"v\d+\.\d[\w.]*?(?=\.zip|\.tar|\.?(?![\w.]))"


def readdress(text: str, old: str, new: str, branch: str) -> str:
    """Write owner/name `new` where a text names `old`.

    A clone stands in a folder of its own name. A fork has the branch, but
    none of the tags.
    """
    ours = rf"{HOSTS}{re.escape(old)}{END}"
    folder = re.escape(old.split("/")[1]) + END
    changes = (
        (rf"(git clone [^\n]*?{ours}(?:\.git)?[\s&;]+cd ){folder}",
         new.split("/")[1]),
        (rf"({ours}[^\s\"'<>)\\]*?/refs/)tags/{TAG}", f"heads/{branch}"),
        (rf"({ours}[^\s\"'<>)\\]*?[/@]){TAG}", branch),
        (rf"({HOSTS}){re.escape(old)}{END}", new),
    )  # fmt: skip
    for pattern, value in changes:
        text = re.sub(pattern, lambda found, to=value: found[1] + to, text)
    return text


def short(url: str) -> str:
    """Give the owner/name part of an address."""
    return url.split("github.com/", 1)[1]
