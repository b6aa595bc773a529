"""RULI's shadow results: for each example, its logit-scaled confidence in many shadow models.

The attack of RULI saves with ``torch.save`` a dict of six populations: ``in_trained``,
``out_trained``, ``unlearn_trained`` (before unlearning: models that trained on the example, that
did not, that will unlearn it), and ``in_unlearned``, ``out_unlearned``, ``unlearned`` (the same
after it). Each is a dict from example to a list of numbers, one a model.

Which models a list is of is drawn anew for each example and is not stored, so the k-th numbers of
two examples come from different models: only one example at a time is a population.
"""

from pathlib import Path

import numpy as np

from audits._reading import Limits, refuse
from audits.formats._content import Content, check_counts, scalar_content
from audits.formats._mapping import Mapping
from audits.formats._sandbox import Sandbox
from audits.formats._torch import read_numbers

KIND = "ruli"
POPULATIONS = (
    "in_trained",
    "out_trained",
    "unlearn_trained",
    "in_unlearned",
    "out_unlearned",
    "unlearned",
)


def read(path: Path, mapping: Mapping, limits: Limits) -> Content:
    """Reads what one population makes of one example.

    Args:
        path: the ``.pth`` file.
        mapping: ``parts`` with one entry: a population as ``split``, one example as ``rows`` and
            its group.
        limits: the most it may hold.

    Returns:
        Margins of one probe, called ``example/INDEX``, one a shadow model.

    Raises:
        SubmissionError: on another structure, an unknown population or example, or numbers that
            are not finite.
    """
    mapping.check_used(KIND, "parts")
    part = mapping.parts[0] if mapping.parts else None
    if part is None or len(mapping.parts or ()) != 1 or part.split not in POPULATIONS:
        refuse(
            path,
            "field parts of its mapping: expected one entry with split one of "
            f"{', '.join(POPULATIONS)}, found others",
        )
    rows = part.rows
    if not isinstance(rows, list) or len(rows) != 1 or part.without or part.labels:
        refuse(
            mapping.file,
            "field parts.rows: expected one example, as the numbers of two come from different "
            "models, found another number",
        )
    with Sandbox(limits) as guest:
        numbers = read_numbers(guest, path, limits, part.split, rows[0])
    check_counts(path, len(numbers), 1, 2, limits)
    values = np.array(numbers)
    probes = np.array([part.group]), np.array([f"example/{rows[0]}"])
    return scalar_content(path, values[:, None], "margin", probes, mapping)
