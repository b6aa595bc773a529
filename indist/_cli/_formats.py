"""``indist formats``: the formats that a submission may have."""

from rich.console import Console
from rich.table import Table

from indist import audits

NATIVE = {
    "population": "folder of manifest.json and .safetensors shards, as indist unlearn writes it",
    "observations": ".npz or .safetensors array of logits with its .json manifest beside it",
}
PUBLISHED = {
    "influence-pairs": ".npz of Feldman and Zhang's tr_idx, tt_idx, infl and mem; made a table",
    "memorization": ".npz of Feldman and Zhang's tr_mem or memorization; made a table",
}
"""Scores of examples, and no models: there is nothing in them to audit."""


def formats() -> None:
    """Lists the formats that a submission may have."""
    table = Table("format", "what it is")
    for name, title in NATIVE.items():
        table.add_row(name, title)
    for name, kind in audits.formats.FORMATS.items():
        # Extras stand in brackets, which are rich's own marks otherwise.
        table.add_row(name, kind.title.replace("[", "\\["))
    for name, title in PUBLISHED.items():
        table.add_row(name, title)
    Console().print(table)
