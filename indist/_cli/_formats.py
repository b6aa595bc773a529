"""``indist formats``: the formats that a submission may have."""

from rich.console import Console
from rich.table import Table

from indist import audits

NATIVE = {
    "population": "folder of manifest.json and .safetensors shards, as indist unlearn writes it",
    "observations": ".npz or .safetensors array of logits with its .json manifest beside it",
}


def formats() -> None:
    """Lists the formats that a submission may have."""
    table = Table("format", "what it is")
    for name, title in NATIVE.items():
        table.add_row(name, title)
    for name, kind in audits.formats.FORMATS.items():
        # Extras stand in brackets, which are rich's own marks otherwise.
        table.add_row(name, kind.title.replace("[", "\\["))
    Console().print(table)
