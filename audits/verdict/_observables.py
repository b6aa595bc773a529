"""The declared observables: one number a model and probe group, fixed before any data is seen."""

from typing import NamedTuple

import numpy as np
from jaxtyping import Float

from oracles import PROBE_GROUPS, Observations


class Observables(NamedTuple):
    """Scalar functions of each model's observation.

    Attributes:
        names: what each column is, in words.
        groups: the probe group each column is read on.
        values: ``[models, observables]``, finite.
    """

    names: tuple[str, ...]
    groups: tuple[str, ...]
    values: Float[np.ndarray, "models observables"]


def median_margins(observations: Observations) -> Observables:
    """The median margin of each model on each probe group present.

    The margin of a probe is ln p_y - ln sum_{j != y} p_j, in nats: its label's log-odds. A median
    is moved little by a few odd probes, and by none of them beyond its own order.

    Args:
        observations: what was seen of a population.

    Returns:
        One column a probe group, in the order of `oracles.PROBE_GROUPS`.

    Example:
        >>> import numpy as np
        >>> from oracles import Observations
        >>> seen = Observations(
        ...     np.log(np.array([[[3.0, 1.0]], [[1.0, 3.0]]], np.float32)),
        ...     np.zeros(1, np.int32), np.array(["forget"]), np.array(["a"]))
        >>> columns = median_margins(seen)
        >>> columns.names, columns.values.round(2).tolist()
        (('median margin on forget',), [[1.1], [-1.1]])
    """
    present = tuple(group for group in PROBE_GROUPS if (observations.groups == group).any())
    margins = observations.margins
    values = np.stack(
        [np.median(margins[:, observations.groups == group], axis=1) for group in present], axis=1
    )
    return Observables(tuple(f"median margin on {group}" for group in present), present, values)
