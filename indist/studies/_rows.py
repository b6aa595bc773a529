"""Rows of studies: frozen dataclasses, and the columns that each is written as."""

from collections.abc import Mapping
from dataclasses import MISSING, dataclass, field, fields, is_dataclass
from functools import cache
from typing import Any, NamedTuple, TypeVar, get_args, get_type_hints

Record = dict[str, Any]
"""A row as it stands in a table: a value by column; what is missing has no column."""
RowT = TypeVar("RowT", bound="StudyRow")


@dataclass(frozen=True, kw_only=True)
class StudyRow:
    """A row of a study's table: a frozen dataclass for each part of a study.

    Its fields are columns, in their order. A field that holds several numbers (a NamedTuple or a
    dataclass) is written as one column each: ``NAME`` for its ``value``, ``NAME_ITEM`` for any
    other item, or as `written_as` says. A field whose default is None has no column where it is
    None.

    Example:
        >>> class Ends(NamedTuple):
        ...     value: float
        ...     low: float
        >>> @dataclass(frozen=True, kw_only=True)
        ... class Distance(StudyRow):
        ...     method: str
        ...     far: Ends
        ...     models_needed: int | None = None
        >>> Distance(method="scrub", far=Ends(0.5, 0.4)).record()
        {'method': 'scrub', 'far': 0.5, 'far_low': 0.4}
        >>> Distance.of({"method": "scrub", "far": 0.5, "far_low": 0.4, "models_needed": 90.0})
        Distance(method='scrub', far=Ends(value=0.5, low=0.4), models_needed=90)
    """

    def record(self) -> Record:
        """The row as it is written: JSON values by column."""
        return record_of(self)

    @classmethod
    def of(cls: type[RowT], record: Mapping[str, Any]) -> RowT:
        """The row that was written as these columns.

        Raises:
            ValueError: when a column is missing.
        """
        return row_of(cls, record)

    @classmethod
    def fits(cls, record: Mapping[str, Any]) -> bool:
        """Whether a record is of this part of its study, and has what no such row lacks."""
        return all(
            record.get("part") in get_args(entry.type)
            if entry.name == "part"
            else entry.name in record or entry.nested or entry.nullable or entry.has_default
            for entry in _entries(cls)
        )


def written_as(pattern: str, **default: Any) -> Any:
    """A field whose items are written as columns of this pattern, ``{}`` being the item."""
    return field(metadata={"columns": pattern}, **default)


def record_of(row: Any) -> Record:
    """A row, or a group of numbers, as JSON values by column; see `StudyRow`."""
    record: Record = {}
    for entry in _entries(type(row)):
        value = getattr(row, entry.name)
        if value is not None and entry.nested:
            items = record_of(value)
            record |= {entry.column(item): number for item, number in items.items()}
        elif value is not None or entry.default is not None:
            record[entry.name] = value
    return record


def row_of(kind: Any, record: Mapping[str, Any]) -> Any:
    """A row, or a group of numbers, from what `record_of` made of it, or a CSV file of that.

    Raises:
        ValueError: when a column is missing.
    """
    values: dict[str, Any] = {}
    for entry in _entries(kind):
        if entry.nested:
            items = {
                item: record[entry.column(item)]
                for item in _columns(entry.nested)
                if entry.column(item) in record
            }
            if items or not entry.has_default:
                values[entry.name] = row_of(entry.nested, items)
        elif entry.name in record:
            values[entry.name] = _typed(entry.type, record[entry.name])
        elif entry.nullable:
            values[entry.name] = None
        elif not entry.has_default:
            raise ValueError(f"{kind.__name__}: expected the column {entry.name}, found none")
    return kind(**values)


class _Entry(NamedTuple):
    """A field of a row: its type without None, and how it is written."""

    name: str
    type: Any
    nullable: bool
    default: Any
    pattern: str | None

    @property
    def nested(self) -> Any:
        """The type of a group of numbers; None for a single value."""
        group = is_dataclass(self.type) or hasattr(self.type, "_fields")
        return self.type if group else None

    @property
    def has_default(self) -> bool:
        """Whether the field may be left out."""
        return self.default is not MISSING

    def column(self, item: str) -> str:
        """The column of an item of the field."""
        if self.pattern is not None:
            return self.pattern.format(item)
        return self.name if item == "value" else f"{self.name}_{item}"


@cache
def _entries(kind: Any) -> tuple[_Entry, ...]:
    hints = get_type_hints(kind)
    if is_dataclass(kind):
        named = [(entry.name, entry.default, entry.metadata) for entry in fields(kind)]
    else:
        named = [(name, kind._field_defaults.get(name, MISSING), {}) for name in kind._fields]
    entries: list[_Entry] = []
    for name, default, metadata in named:
        types = get_args(hints[name])
        nullable = type(None) in types
        plain = next(part for part in types if part is not type(None)) if nullable else hints[name]
        entries.append(_Entry(name, plain, nullable, default, metadata.get("columns")))
    return tuple(entries)


@cache
def _columns(kind: Any) -> tuple[str, ...]:
    """All columns that a group of numbers can be written as."""
    return tuple(
        column
        for entry in _entries(kind)
        for column in (map(entry.column, _columns(entry.nested)) if entry.nested else (entry.name,))
    )


def _typed(kind: Any, value: Any) -> Any:
    """A value of a file as its field's type: files do not tell 3 from 3.0, nor from "3"."""
    return kind(value) if kind in (int, float, str, bool) and value is not None else value
