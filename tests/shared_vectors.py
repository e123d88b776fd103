"""The vectors that Python and TypeScript share, and the loops behind them."""

import importlib
import json
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

FOLDER = Path(__file__).parent / "vectors"
# The makers import from their folder, as they do when they run as scripts.
sys.path.append(str(FOLDER))


def load(name: str) -> Any:
    """Read the vectors as they are kept."""
    return json.loads((FOLDER / f"{name}.json").read_text("utf-8"))


def maker(name: str) -> ModuleType:
    """Import the plain loops that write them."""
    return importlib.import_module(f"make_{name}")
