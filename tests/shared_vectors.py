"""The vectors that Python and TypeScript share, and the loops behind them."""

import importlib.util
import json
from pathlib import Path
from types import ModuleType
from typing import Any

FOLDER = Path(__file__).parent / "vectors"


def load(name: str) -> Any:
    """Read the vectors as they are kept."""
    return json.loads((FOLDER / f"{name}.json").read_text("utf-8"))


def maker(name: str) -> ModuleType:
    """Import the plain loops that write them."""
    spec = importlib.util.spec_from_file_location(
        f"make_{name}", FOLDER / f"make_{name}.py"
    )
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
