"""Digests of arrays and of JSON values: equal numbers have equal names, whatever file they lie in.

Certificates, stores and resumable studies name what they hold by these digests.
"""

import hashlib
import json
from collections.abc import Mapping
from typing import Any

import numpy as np

from estimators.checks import check_unmasked

__all__ = [
    "digest_arrays",
    "digest_json",
]


def digest_arrays(arrays: Mapping[str, Any]) -> str:
    """SHA-256 of named arrays: name, dtype, shape and bytes, in the sorted order of names.

    Args:
        arrays: name to array; strings are taken as UTF-8 lists.

    Returns:
        64 hexadecimal digits, the same on every machine and for every file format.

    Raises:
        ValueError: when an array is masked: what lies under the mask would have a part in its name.

    Example:
        >>> import numpy as np
        >>> digest_arrays({"a": np.zeros(2)}) == digest_arrays({"a": np.zeros((2, 1))})
        False
    """
    total = hashlib.sha256()
    for name in sorted(arrays):
        check_unmasked(arrays[name], name)
        array = np.asarray(arrays[name])
        if array.dtype.kind in "UO":
            data = json.dumps(array.tolist(), ensure_ascii=False).encode()
            kind = "str"
        else:
            array = np.ascontiguousarray(array, dtype=array.dtype.newbyteorder("<"))
            data, kind = array.tobytes(), array.dtype.str
        header = json.dumps([name, kind, list(array.shape), len(data)])
        total.update(header.encode())
        total.update(data)
    return total.hexdigest()


def digest_json(value: Any) -> str:
    """SHA-256 of a JSON value written with sorted keys and no spaces."""
    text = json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()
