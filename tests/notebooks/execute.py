"""Execute a notebook in place: `execute.py NOTEBOOK MACHINE`.

A program of its own: what the kernel's sockets leave behind ends with it.
"""

import sys
from pathlib import Path

import nbformat
from jupyter_client.kernelspec import KernelSpecManager
from jupyter_client.manager import AsyncKernelManager
from nbclient import NotebookClient


def execute(path: Path, machine: Path) -> None:
    """Run all cells in the machine's folder; errors become outputs."""
    notebook = nbformat.read(path, 4)
    specs = KernelSpecManager(
        kernel_dirs=[str(machine / "kernels")], ensure_native_kernel=False
    )
    client = NotebookClient(
        notebook,
        km=AsyncKernelManager(kernel_name="colab", kernel_spec_manager=specs),
        resources={"metadata": {"path": str(machine / "content")}},
        allow_errors=True,
        timeout=600,
    )
    # Else the kernel, which we made, would outlive us.
    client.owns_km = True
    client.execute()
    nbformat.write(notebook, path)


if __name__ == "__main__":
    execute(*map(Path, sys.argv[1:]))
