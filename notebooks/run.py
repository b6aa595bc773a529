"""Executes the notebooks in place, top to bottom: python notebooks/run.py [NAME.ipynb ...]."""

import sys
from pathlib import Path

import nbformat
from nbclient import NotebookClient

FOLDER = Path(__file__).parent


def main(names: list[str]) -> None:
    """Writes each notebook with its outputs, and without the times at which cells ran."""
    for path in [FOLDER / name for name in names] or sorted(FOLDER.glob("*.ipynb")):
        book = nbformat.read(path, as_version=4)
        client = NotebookClient(
            book, timeout=1800, record_timing=False, resources={"metadata": {"path": str(FOLDER)}}
        )
        client.execute()
        nbformat.write(book, path)
        print(path.name)


if __name__ == "__main__":
    main(sys.argv[1:])
