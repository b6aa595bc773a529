"""Which model saw what, and what came out: the two arms of every example by matrix products.

An example's arms are the models that include it and those that do not. For all pairs of a source
(a column of ``included``: an example, or a block dropped as one) and a target (a column of
``outcome``) the sums over the arm with the source are one matrix product; those over the other arm
follow from the columns' totals. Outcomes that are not 0/1 need a second product, for the squares;
both are then of the outcome less its column's mean, so that nothing cancels.
"""

import os
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple

import numpy as np
from jaxtyping import Bool, Float, Int, Num

from estimators.checks import check_array, check_mask

Kind = Literal["0/1", "[0, 1]", "unbounded"]

INDEPENDENT_ARMS = "models are independent, and so is the choice of those that include an example"

# Elementwise work goes over tiles of this many rows and columns, which stay in a core's cache.
TILE = (16, 1024)
# Whole numbers up to here are exact in float32, whatever the order of their sum.
_EXACT_IN_FLOAT32 = 2**24
_ROWS_A_CHECK = 64
_NUMBERS_A_BLOCK = 2**21


@dataclass(frozen=True, eq=False)
class Arms:
    """Sizes, means and squares of both arms: ``[n]``, or ``[n_source, n_target]`` for all pairs.

    Attributes:
        n_in: models that include the example, ``[n]``, or ``[n_source, 1]`` for all pairs.
        n_out: models that do not.
        mean_in: mean outcome over the first; 0 where there are none.
        mean_out: mean outcome over the second; 0 where there are none.
        squares_in: sum of squared distances from ``mean_in``; None for 0/1, where the mean says it.
        squares_out: sum of squared distances from ``mean_out``.
        kind: the values that outcomes take.
    """

    n_in: Num[np.ndarray, "..."]
    n_out: Num[np.ndarray, "..."]
    mean_in: Float[np.ndarray, "..."]
    mean_out: Float[np.ndarray, "..."]
    squares_in: Float[np.ndarray, "..."] | None
    squares_out: Float[np.ndarray, "..."] | None
    kind: Kind

    def squares(self) -> tuple[Float[np.ndarray, "..."], Float[np.ndarray, "..."]]:
        """The sums of squared distances of both arms, for outcomes of any kind."""
        if self.squares_in is not None and self.squares_out is not None:
            return self.squares_in, self.squares_out
        return (
            self.n_in * self.mean_in * (1.0 - self.mean_in),
            self.n_out * self.mean_out * (1.0 - self.mean_out),
        )

    def counts(self) -> tuple[Int[np.ndarray, "..."], Int[np.ndarray, "..."]]:
        """Models of each arm whose outcome is 1, for outcomes that are 0/1."""
        inside, outside = self.n_in * self.mean_in, self.n_out * self.mean_out
        return np.rint(inside).astype(np.int64), np.rint(outside).astype(np.int64)

    def tile(self, place: tuple[slice, ...]) -> "Arms":
        """A piece of the arms, of one or two axes; sizes stay ``[rows, 1]`` for two."""
        n_in, n_out = self.n_in[place[0]], self.n_out[place[0]]
        means = self.mean_in[place], self.mean_out[place]
        if self.squares_in is None or self.squares_out is None:
            return Arms(n_in, n_out, *means, None, None, self.kind)
        squares = self.squares_in[place], self.squares_out[place]
        return Arms(n_in, n_out, *means, *squares, self.kind)

    def where(self, chosen: Bool[np.ndarray, "..."]) -> "Arms":
        """Those arms that a mask chooses, in one axis."""
        n_in = np.broadcast_to(self.n_in, chosen.shape)[chosen]
        n_out = np.broadcast_to(self.n_out, chosen.shape)[chosen]
        means = self.mean_in[chosen], self.mean_out[chosen]
        if self.squares_in is None or self.squares_out is None:
            return Arms(n_in, n_out, *means, None, None, self.kind)
        squares = self.squares_in[chosen], self.squares_out[chosen]
        return Arms(n_in, n_out, *means, *squares, self.kind)

    def exchanged(self) -> "Arms":
        """The two arms in each other's place."""
        means = self.mean_out, self.mean_in
        return Arms(self.n_out, self.n_in, *means, self.squares_out, self.squares_in, self.kind)

    def fewest(self) -> Num[np.ndarray, "..."]:
        """Models of the smaller arm."""
        return np.minimum(self.n_in, self.n_out)


class Observed(NamedTuple):
    """Checked input: inclusion as booleans, outcomes as given, and the values they take."""

    included: Bool[np.ndarray, "models n"]
    outcome: np.ndarray
    kind: Kind


def check_observed(included: Any, outcome: Any, *, own: bool) -> Observed:
    """Inclusion ``[models, n]`` and outcomes ``[models, targets]`` that fit together.

    Args:
        included: booleans, or numbers that are 0 or 1.
        outcome: finite real numbers or booleans.
        own: whether target i must be example i, so that there are n targets.

    Raises:
        TypeError: when either is not made of real numbers.
        ValueError: when shapes do not fit, there are no models, included is not 0/1, an outcome is
            not finite, or `check_array` refuses either.
    """
    mask, values = check_array(included, "included"), check_array(outcome, "outcome")
    for array, name, columns in ((mask, "included", "n"), (values, "outcome", "targets")):
        if array.dtype.kind not in "biuf":
            raise TypeError(f"{name}: expected booleans or numbers, found dtype {array.dtype}")
        if array.ndim != 2 or not array.size:
            raise ValueError(
                f"{name}: expected an array [models, {columns}] that is not empty, "
                f"found shape {array.shape}"
            )
    if mask.shape[0] != values.shape[0]:
        raise ValueError(
            f"included and outcome: expected one row a model in both, found {mask.shape[0]} and "
            f"{values.shape[0]} rows"
        )
    if own and mask.shape != values.shape:
        raise ValueError(
            f"outcome: expected a column for each of the {mask.shape[1]} examples of included, "
            f"found {values.shape[1]} columns"
        )
    return Observed(check_mask(mask, "included", mask.shape), values, _kind(values))


def _kind(values: np.ndarray) -> Kind:
    if values.dtype == np.bool_:
        return "0/1"
    low, high, coins = np.inf, -np.inf, True
    for first in range(0, values.shape[0], _ROWS_A_CHECK):
        rows = values[first : first + _ROWS_A_CHECK]
        least, greatest = float(rows.min()), float(rows.max())
        if not np.isfinite(least) or not np.isfinite(greatest):
            row, column = np.argwhere(~np.isfinite(rows))[0].tolist()
            raise ValueError(
                f"outcome: expected finite numbers, found {rows[row, column]} at index "
                f"{(first + row, column)}"
            )
        low, high = min(low, least), max(high, greatest)
        coins = coins and low >= 0.0 and high <= 1.0 and bool((rows == (rows != 0)).all())
    if coins:
        return "0/1"
    return "[0, 1]" if low >= 0.0 and high <= 1.0 else "unbounded"


def _sizes(included: Bool[np.ndarray, "models n"]) -> tuple[np.ndarray, np.ndarray]:
    inside = np.count_nonzero(included, axis=0)
    return inside, included.shape[0] - inside


def _ranges(total: int, width: int) -> Iterator[slice]:
    for first in range(0, total, width):
        yield slice(first, min(first + width, total))


def each_tile(shape: tuple[int, ...], work: Callable[[tuple[slice, ...]], None]) -> None:
    """Does elementwise work on small pieces that cover an array of one or two axes, on all cores.

    Args:
        shape: of the array.
        work: takes the slices of one piece, and touches nothing outside it.
    """
    pieces = list(_tiles(shape))
    threads = min(os.cpu_count() or 1, len(pieces))
    if threads < 2:
        for piece in pieces:
            work(piece)
        return

    def part(first: int) -> None:
        for piece in pieces[first::threads]:
            work(piece)

    with ThreadPoolExecutor(threads) as pool:
        for _ in pool.map(part, range(threads)):
            pass


def _tiles(shape: tuple[int, ...]) -> Iterator[tuple[slice, ...]]:
    if len(shape) == 1:
        for part in _ranges(shape[0], TILE[0] * TILE[1]):
            yield (part,)
    else:
        for rows in _ranges(shape[0], TILE[0]):
            for columns in _ranges(shape[1], TILE[1]):
                yield rows, columns


def own_arms(observed: Observed) -> Arms:
    """The arms of each example for its own outcome, ``[n]``; in float64, squares in two passes."""
    mask, values, kind = observed
    n_in, n_out = _sizes(mask)
    size = mask.shape[1]
    mean_in, mean_out, squares_in, squares_out = (np.empty(size) for _ in range(4))
    for part in _ranges(size, max(1, _NUMBERS_A_BLOCK // mask.shape[0])):
        piece = values[:, part].astype(np.float64)
        for chosen, count, mean, squares in (
            (mask[:, part], n_in[part], mean_in, squares_in),
            (~mask[:, part], n_out[part], mean_out, squares_out),
        ):
            mean[part] = np.where(chosen, piece, 0.0).sum(axis=0) / np.maximum(count, 1)
            away = np.where(chosen, piece - mean[part], 0.0)
            squares[part] = (away * away).sum(axis=0)
    if kind == "0/1":
        return Arms(n_in, n_out, mean_in, mean_out, None, None, kind)
    return Arms(n_in, n_out, mean_in, mean_out, squares_in, squares_out, kind)


def pair_arms(observed: Observed, memory_budget: int) -> Arms:
    """The arms of each pair of a source and a target, ``[n_source, n_target]``.

    0/1 outcomes are summed in float32 (exactly, below 2^24 models). Others are summed in the
    outcome's precision: float32 when that is its type, else float64.

    Args:
        observed: checked input.
        memory_budget: bytes for the blocks in work, beyond the arrays returned. Blocks of one
            column are used when it is smaller than they need.

    Returns:
        Means and squares as float64; ``n_in`` and ``n_out`` are ``[n_source, 1]``.
    """
    mask, values, kind = observed
    models, n_source = mask.shape
    n_target = values.shape[1]
    soft = kind != "0/1"
    single = values.dtype.itemsize <= 4 and values.dtype.kind == "f" if soft else True
    number = np.dtype(np.float32 if single and models < _EXACT_IN_FLOAT32 else np.float64)

    n_in, n_out = (count[:, None] for count in _sizes(mask))
    shape = (n_source, n_target)
    mean_in, mean_out = np.empty(shape), np.empty(shape)
    squares_in, squares_out = (np.empty(shape) if soft else None for _ in range(2))
    arrays = Arms(n_in, n_out, mean_in, mean_out, squares_in, squares_out, kind)

    wide, narrow = _block_widths(models, n_source, n_target, soft, number.itemsize, memory_budget)
    for rows in _ranges(n_source, wide):
        block = mask[:, rows].astype(number).T
        for columns in _ranges(n_target, narrow):
            _fill(arrays, rows, columns, block, values[:, columns], number)
    return arrays


def _block_widths(
    models: int, n_source: int, n_target: int, soft: bool, item: int, memory_budget: int
) -> tuple[int, int]:
    """Sources and targets a block: half of the budget for the mask, half for all else."""
    half = memory_budget // 2
    wide = min(n_source, max(1, half // (models * item)))
    # A column takes its outcomes, their squares, a float64 copy on the way, and the products.
    column = models * (2 * item + 8 if soft else item) + wide * item * (2 if soft else 1)
    return wide, min(n_target, max(1, half // column))


def _fill(
    arms: Arms,
    rows: slice,
    columns: slice,
    block: Float[np.ndarray, "a models"],
    values: np.ndarray,
    number: np.dtype[Any],
) -> None:
    """Write one block of the means and squares."""
    centre = np.zeros(values.shape[1])
    if arms.kind == "0/1":
        values = values.astype(number)
    else:
        centre = values.mean(axis=0, dtype=np.float64)
        # In float64 the centred outcome is exact enough for every type; then it is rounded once.
        values = np.subtract(values, centre, dtype=np.float64).astype(number)
    sums, total = block @ values, values.sum(axis=0, dtype=np.float64)
    here = arms.tile((rows, columns))
    into, out = np.maximum(here.n_in, 1), np.maximum(here.n_out, 1)

    def means(tile: tuple[slice, ...]) -> None:
        at, across = tile
        inside = sums[tile].astype(np.float64)
        np.divide(inside, into[at], out=here.mean_in[tile])
        np.subtract(total[across], inside, out=inside)
        np.divide(inside, out[at], out=here.mean_out[tile])

    each_tile(sums.shape, means)
    squares_in, squares_out = here.squares_in, here.squares_out
    if squares_in is None or squares_out is None:
        return
    values *= values
    powers, power = block @ values, values.sum(axis=0, dtype=np.float64)

    def squares(tile: tuple[slice, ...]) -> None:
        at, across = tile
        inside, power_in = sums[tile].astype(np.float64), powers[tile].astype(np.float64)
        outside, power_out = total[across] - inside, power[across] - power_in
        squares_in[tile] = np.maximum(power_in - inside * inside / into[at], 0.0)
        squares_out[tile] = np.maximum(power_out - outside * outside / out[at], 0.0)
        # The centre cannot be the mean of an arm without models, whose mean is 0 by convention.
        here.mean_in[tile] += centre[across] * (here.n_in[at] > 0)
        here.mean_out[tile] += centre[across] * (here.n_out[at] > 0)

    each_tile(sums.shape, squares)
