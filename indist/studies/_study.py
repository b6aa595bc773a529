"""What a study is: settings, rows, the table of them, and the answer that the table supports."""

import re
from abc import ABC, abstractmethod
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import fields
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Generic, cast

from estimators.checks import check_seed
from estimators.kinds import check_declared, check_name
from indist.studies._rows import Record, RowT, StudyRow

if TYPE_CHECKING:
    import pandas as pd

Shown = Mapping[str, list[dict[str, str]]]
"""Tables for people: a title for each part, and its lines, text by heading."""


class Study(ABC, Generic[RowT]):
    """One question. A subclass is a frozen dataclass of settings; ``models`` and ``seed`` are two.

    Attributes:
        question: in plain words.
        quick: the settings of a run of minutes, where they differ from the defaults.
        kinds: the classes of its rows, one a part of it.
        names: columns that say which row a row is.
        finding: column that says what was found in it.
        columns: of the table, in their order; those of the rows as they come where there are none.
    """

    question: ClassVar[str]
    quick: ClassVar[Mapping[str, Any]]
    kinds: ClassVar[tuple[type[StudyRow], ...]]
    names: ClassVar[tuple[str, ...]]
    finding: ClassVar[str] = "finding"
    columns: ClassVar[tuple[str, ...]] = ()

    def __post_init__(self) -> None:
        """Refuses settings of another kind than is declared; a subclass checks what they say.

        Raises:
            ValueError: for the first that is; it names the study as ``indist study`` does.
        """
        study = re.sub(r"\B(?=[A-Z])", "-", type(self).__name__).lower()
        for setting in fields(cast(Any, self)):
            value = getattr(self, setting.name)
            if setting.name == "seed":
                object.__setattr__(self, "seed", check_seed(value, f"study {study}: seed"))
            else:
                check_declared(value, f"study {study}: {setting.name}", setting.type)

    @abstractmethod
    def run(self, folder: Path) -> Iterator[RowT]:
        """Fills the table cell by cell.

        Args:
            folder: where populations and finished cells are kept; a second run goes on from there.

        Yields:
            A row a cell. One that does not apply says why in ``not_applicable``.

        Raises:
            ValueError: when the folder holds cells of other settings.
        """

    def table(self, rows: Sequence[StudyRow | Record]) -> "pd.DataFrame":
        """The rows as a data frame, columns in a fixed order.

        Args:
            rows: from `run`, or from `indist.studies.read_rows`.
        """
        import pandas as pd

        records = [row.record() if isinstance(row, StudyRow) else row for row in rows]
        return pd.DataFrame(records, columns=list(self.columns) or None)

    def shown(self, rows: Sequence[StudyRow | Record]) -> Shown:
        """The table for people.

        Args:
            rows: from `run`, or from `indist.studies.read_rows`.

        Returns:
            A title for each part, and its lines: text by heading.
        """
        return self._shown(self.typed(rows))

    def answer(self, rows: Sequence[StudyRow | Record]) -> tuple[str, ...]:
        """The answer that these numbers support, in plain sentences.

        Args:
            rows: from `run`, or from `indist.studies.read_rows`.

        Returns:
            A sentence each; where the data do not decide, it says so, and about how many models
            it would take.
        """
        return self._answer(self.typed(rows))

    def typed(self, rows: Sequence[StudyRow | Record]) -> list[RowT]:
        """Rows of a file as the rows that were written; those that are rows stay.

        Args:
            rows: from `run`, or from `indist.studies.read_rows`.

        Raises:
            ValueError: when a record has the columns of no row of this study.
        """
        typed: list[Any] = []
        for row in rows:
            if isinstance(row, StudyRow):
                typed.append(row)
                continue
            kind = next((kind for kind in self.kinds if kind.fits(row)), None)
            if kind is None:
                raise ValueError(f"row: expected the columns of this study, found {', '.join(row)}")
            typed.append(kind.of(row))
        return typed

    @abstractmethod
    def _shown(self, rows: list[RowT]) -> Shown:
        """See `shown`."""

    @abstractmethod
    def _answer(self, rows: list[RowT]) -> tuple[str, ...]:
        """See `answer`."""


def check_names(
    what: str, asked: Iterable[str], known: Collection[str], expected: str = "one of"
) -> None:
    """Names of a setting that are to be known ones.

    Raises:
        ValueError: for the first that is not.
    """
    for name in asked:
        check_name(name, what, known, expected)


def read_rows(path: Path) -> list[Record]:
    """The rows of a study's CSV file; a missing value is left out of its row."""
    import pandas as pd

    # By index and column, as the stubs of `to_dict` know no records.
    table = pd.read_csv(path)
    lines = (dict(zip(table.columns, line, strict=True)) for line in table.itertuples(index=False))
    return [{str(k): v for k, v in line.items() if not pd.isna(v)} for line in lines]
