"""Confidences as the unlearning competition's evaluation code stores them, in ``.npz`` files.

``retrained_confs`` holds ``[models, examples]``, the logit-scaled confidence of every example of
the forget set in each model trained without it; accuracies beside it are not read. The code:
https://github.com/google-deepmind/unlearning_evaluation.
"""

from pathlib import Path

import numpy as np

from audits._reading import Limits
from audits.formats._content import Content, check_counts, scalar_content
from audits.formats._mapping import Mapping
from audits.formats._probes import listed_probes
from oracles.storage.arrays import Form, npz_header, npz_names, read_npz

NAME = "retrained_confs"
KIND = "confidences"

_FORM = Form("f", "[models, examples]", (2,))


def read(path: Path, mapping: Mapping, limits: Limits) -> Content:
    """Reads confidences.

    Args:
        path: the ``.npz`` file.
        mapping: ``probes`` in the order of columns; without, they are ``forget/0000`` and so on,
            all of group forget, as the format has it. ``select.array`` names another array than
            ``retrained_confs``.
        limits: the most it may hold.

    Returns:
        Margins.

    Raises:
        SubmissionError: on another array or shape, or numbers that are not finite.
    """
    mapping.check_used(KIND, "probes", select=("array",))
    name = NAME
    if "array" in mapping.select:
        name = mapping.selected(path, "array", str, "the name of an array")
    if name in npz_names(path):
        header = npz_header(path, name)
        if len(header.shape) == 2:
            check_counts(path, *header.shape, classes=2, limits=limits)
    values = read_npz(path, {name: _FORM}, limits)[name]
    if mapping.probes is None:
        ids = np.array([f"forget/{k:04d}" for k in range(values.shape[1])])
        groups = np.full(len(ids), "forget")
    else:
        _, groups, ids = listed_probes(path, mapping, values.shape[1])
    return scalar_content(path, values, "margin", (groups, ids), mapping)
