"""A stand-in for Colab: its versions, an empty folder, nothing of the course.

What Colab brings is installed once into `_build/colab/packages` and used
again until the list below changes. Torch and Triton, 1 to 5 GB, are not
installed a second time: links lead to those of the environment that runs the
tests. A machine of its own (`machine`) is an environment without a package
that sees that folder: pip takes what lies there for installed, and writes
beside it, so that whatever it touches is seen.

No machine reaches a network: an address that nobody answers stands in for
the proxy. What pip may fetch beside the course itself, it finds in
`_build/colab/wheels`.
"""

import json
import os
import shutil
import subprocess
import sys
import sysconfig
import tomllib
import zipfile
from collections.abc import Iterable, Set
from importlib import metadata
from importlib.util import find_spec
from pathlib import Path

import course
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

# As of spring 2026. NumPy 2.0 was never built for Python 3.13.
COLAB = (
    *course.FLOORS,
    "huggingface_hub==1.3.4",
    "ipykernel==6.17.1",
    "ipython==7.34.0",
    "jupyter_client==7.4.9",
    "lazy_loader==0.4",
    "matplotlib==3.10.0",
    "notebook==6.5.7",
    "numpy==2.0.2; python_version < '3.13'",
    "numpy==2.1.3; python_version >= '3.13'",
    "pillow==11.3.0",
    "pip==24.1.2",
    "psutil==5.9.5",
    "python-dateutil==2.9.0.post0",
    "pyzmq==26.2.1",
    "regex==2025.11.3",
    "requests==2.32.4",
    "sentencepiece==0.2.1",
    "tornado==6.5.1",
    "tqdm==4.67.1",
    "transformers==5.0.0",
)
LENT = ("torch", "triton")
# What the first cell installs beside the course and its dependencies.
BROUGHT = ("bertviz", "matplotlib")
# What anywidget asks of Colab's own module, which every kernel has loaded.
MODULE = """\
from types import SimpleNamespace

_widgets = SimpleNamespace(_installed_url=None)


def enable_custom_widget_manager():
    _widgets._installed_url = "https://colab.example/manager.js"
"""
SOURCE = ("src", *(
    path.name for path in course.ROOT.iterdir()
    if path.suffix in (".toml", ".md") or path.name.startswith("LICENSE")
))  # fmt: skip


def pip(*arguments) -> None:
    """Run the pip of the tests' own environment."""
    subprocess.run(
        [sys.executable, "-m", "pip", "--quiet",
         "--disable-pip-version-check", *map(str, arguments)],
        check=True,
    )  # fmt: skip


def installed(wanted: Iterable[str], held: Set[str] = frozenset()) -> dict:
    """Map packages, and what they need beside `held`, to their versions.

    Both as they are installed in the environment that runs the tests.
    """
    found, queue = {}, [Requirement(line) for line in wanted]
    while queue:
        one = queue.pop()
        name, extras = canonicalize_name(one.name), tuple(sorted(one.extras))
        if (name, extras) in found or name in held:
            continue
        found[name, extras] = metadata.version(name)
        queue += [
            new for new in map(Requirement, metadata.requires(name) or [])
            if not new.marker
            or any(new.marker.evaluate({"extra": e}) for e in extras or [""])
        ]  # fmt: skip
    return {name: version for (name, _), version in found.items()}


def names_in(folder: Path) -> set[str]:
    """Name the packages that lie in a folder."""
    return {
        canonicalize_name(one.name)
        for one in metadata.distributions(path=[str(folder)])
    }


def lend(name: str, folder: Path) -> None:
    """Link the files of a package of this environment into a folder."""
    package = metadata.distribution(name)
    for top in {file.parts[0] for file in package.files} - {".."}:
        if not (folder / top).exists():
            (folder / top).symlink_to(package.locate_file(top))


def prepare() -> Path:
    """Make the folder of what Colab brings, where its list has changed."""
    home = course.ROOT / "_build" / "colab"
    text = (course.ROOT / "pyproject.toml").read_text("utf-8")
    wanted = [*tomllib.loads(text)["project"]["dependencies"], *BROUGHT]
    # Triton is for Linux alone.
    lent = installed(name for name in LENT if find_spec(name))
    # The links are absolute: a folder that was moved needs new ones.
    here = sys.version, sys.prefix, sorted(lent.items())
    stamp = course.digest(
        repr((here, COLAB, MODULE, wanted)),
        (course.ROOT / "constraints.txt").read_bytes(),
    )
    with course.one_at_a_time(home):
        if course.read_stamp(home / "stamp") != stamp:
            _install(home / "packages", lent)
            _gather(home / "wheels", wanted, names_in(home / "packages"))
            course.write_stamp(home / "stamp", stamp)
    return home


def _install(packages: Path, lent: Iterable[str]) -> None:
    """Install what Colab brings, or lend it."""
    shutil.rmtree(packages, ignore_errors=True)
    pip("install", "--no-compile", "--no-warn-conflicts",
        "--target", packages, *COLAB)  # fmt: skip
    for name in set(lent) - names_in(packages):
        lend(name, packages)
    module = packages / "google" / "colab"
    module.mkdir(parents=True)
    (module / "__init__.py").touch()
    (module / "output.py").write_text(MODULE, "utf-8")


def _gather(wheels: Path, wanted: Iterable[str], held: Set[str]) -> None:
    """Fetch what the first cell installs, and what builds the course."""
    shutil.rmtree(wheels, ignore_errors=True)
    missing = installed(wanted, held)
    pins = (f"{name}=={version}" for name, version in missing.items())
    pip("download", "--no-deps", "--dest", wheels, *pins)
    pip("download", "--dest", wheels, "-c", course.ROOT / "constraints.txt",
        "hatchling")  # fmt: skip


def archive(path: Path) -> None:
    """Write the checkout's archive, as GitHub makes it."""
    path.parent.mkdir(parents=True)
    with zipfile.ZipFile(path, "w") as file:
        for one in course.input_files(course.ROOT, SOURCE):
            name = one.relative_to(course.ROOT).as_posix()
            file.write(one, f"attn-course-HEAD/{name}")


def wheel(folder: Path, name: str, version: str, *needs: str) -> None:
    """Write a package without content that needs others."""
    info = f"{name}-{version}.dist-info"
    lines = ["Metadata-Version: 2.1", f"Name: {name}", f"Version: {version}"]
    lines += [f"Requires-Dist: {one}" for one in needs]
    tags = "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
    with zipfile.ZipFile(
        folder / f"{name}-{version}-py3-none-any.whl", "w"
    ) as file:
        file.writestr(f"{info}/METADATA", "\n".join(lines) + "\n")
        file.writestr(f"{info}/WHEEL", tags)
        file.writestr(f"{info}/RECORD", "")


def machine(folder: Path, home: Path, *links: Path) -> Path:
    """Make an empty machine; give the folder of its own packages.

    `folder`/kernels holds its kernel, `folder`/content is its empty folder.
    All that pip can reach are the packages in `links`.
    """
    subprocess.run(
        [sys.executable, "-m", "venv", "--without-pip", folder / "venv"],
        check=True,
    )
    python = course.in_venv("python", folder / "venv")
    places = {"base": str(folder / "venv"), "platbase": str(folder / "venv")}
    own = Path(sysconfig.get_path("purelib", "venv", places))
    (own / "colab.pth").write_text(
        f"{home / 'packages'}\nimport google.colab.output\n", "utf-8"
    )
    (folder / "content").mkdir()
    spec = {
        "argv": [
            str(python), "-m", "ipykernel_launcher", "-f", "{connection_file}"
        ],
        "display_name": "Colab", "language": "python",
        "env": {
            "PYTHONPATH": "", "PYTHONNOUSERSITE": "1",
            "PYDEVD_DISABLE_FILE_VALIDATION": "1",
            # Addresses, for a folder's name may hold a space.
            "PIP_FIND_LINKS": " ".join(path.as_uri() for path in links),
            "PIP_NO_INDEX": "1",
            "PIP_RETRIES": "0", "PIP_CONFIG_FILE": os.devnull,
            "PIP_DISABLE_PIP_VERSION_CHECK": "1",
            **{f"{kind}_proxy": "http://127.0.0.1:9"
               for kind in ("http", "https")},
            "no_proxy": "127.0.0.1",
        },
    }  # fmt: skip
    kernel = folder / "kernels" / "colab"
    kernel.mkdir(parents=True)
    (kernel / "kernel.json").write_text(json.dumps(spec), "utf-8")
    return own
