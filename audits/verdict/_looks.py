"""Looks: the numbers of submitted models at which a verdict is read, declared beforehand.

Whoever looks again and again, until the verdict pleases, errs more often than a single look does.
A schedule declares the numbers of submitted models at which one looks, and gives each look a share
of alpha; the shares sum to one. So the probability that the verdict of any look is wrong is at most
alpha (union bound), whatever makes one stop, and whatever data the looks have in common.

Models beyond a look's number wait for the next one. They are the last that were handed in, so that
which models are looked at does not depend on what they are. A look that was not declared is
exploratory: it takes nothing away from the declared ones, and its own verdict has no error rate
beside them.
"""

from collections.abc import Sequence
from typing import Any, NamedTuple

from estimators.checks import check_counts

MOST_LOOKS = 20


class Look(NamedTuple):
    """The look that is being taken.

    Attributes:
        number: which of the declared ones it is, from 1; 0 where it is exploratory.
        models: how many of the submitted models are looked at.
        share: of alpha.
    """

    number: int
    models: int
    share: float


def look_at(submitted: int, looks: Sequence[int] | None) -> Look:
    """The look that so many submitted models allow.

    Args:
        submitted: models handed in.
        looks: the declared numbers; None is one look at what was handed in; none declared is an
            exploratory look.

    Returns:
        The last declared look that there are models for, or an exploratory one at all of them
        where there are too few for the first.

    Example:
        >>> look_at(300, (128, 256, 512))
        Look(number=2, models=256, share=0.3)
        >>> look_at(100, (128, 256)).number
        0
    """
    if looks is None:
        return Look(1, submitted, 1.0)
    reached = sum(models <= submitted for models in looks)
    if not reached:
        return Look(0, submitted, 1.0)
    return Look(reached, looks[reached - 1], shares(len(looks))[reached - 1])


def shares(looks: int) -> tuple[float, ...]:
    """The share of alpha that each of so many looks has: as 1, 3, 6, 10, ... to one another.

    Later looks, which decide more, get more.

    Example:
        >>> shares(4)
        (0.05, 0.15, 0.3, 0.5)
    """
    total = looks * (looks + 1) * (looks + 2)
    return tuple(3 * k * (k + 1) / total for k in range(1, looks + 1))


def next_look(models: int, looks: Sequence[int]) -> int | None:
    """The number of the first declared look with at least so many models, from 1; None if none."""
    return next((k for k, size in enumerate(looks, 1) if size >= models), None)


def check_looks(looks: Any) -> tuple[int, ...] | None:
    """The declared numbers of models.

    Raises:
        TypeError: when they are no whole numbers.
        ValueError: unless they grow from at least 2, and are at most `MOST_LOOKS`.
    """
    if looks is None:
        return None
    if isinstance(looks, str) or not isinstance(looks, Sequence):
        raise TypeError(f"looks: expected numbers such as (128, 256), found {looks!r:.60}")
    found = tuple(looks)
    if len(found) > MOST_LOOKS:
        raise ValueError(f"looks: expected at most {MOST_LOOKS}, found {len(found)}")
    for models in found:
        check_counts(least=2, looks=models)
    if any(later <= earlier for earlier, later in zip(found, found[1:], strict=False)):
        raise ValueError(
            f"looks: expected numbers of submitted models, each above the last, found {found}"
        )
    return tuple(int(models) for models in found)
