"""What a study is: settings, rows, the table of them, and the answer that the table supports."""

from abc import ABC, abstractmethod
from collections.abc import Collection, Iterable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from indist.studies._cells import Row

if TYPE_CHECKING:
    import pandas as pd


class Study(ABC):
    """One question. A subclass is a frozen dataclass of settings; ``models`` and ``seed`` are two.

    Attributes:
        question: in plain words.
        quick: the settings of a run of minutes, where they differ from the defaults.
        names: columns that say which row a row is.
        finding: column that says what was found in it.
    """

    question: ClassVar[str]
    quick: ClassVar[Mapping[str, Any]]
    names: ClassVar[tuple[str, ...]]
    finding: ClassVar[str] = "finding"

    @abstractmethod
    def run(self, folder: Path) -> Iterator[Row]:
        """Fills the table cell by cell.

        Args:
            folder: where populations and finished cells are kept; a second run goes on from there.

        Yields:
            A row a cell, of JSON values. One that does not apply says why in ``not_applicable``.

        Raises:
            ValueError: when the folder holds cells of other settings.
        """

    def table(self, rows: list[Row]) -> "pd.DataFrame":
        """The rows as a data frame, columns in a fixed order."""
        import pandas as pd

        return pd.DataFrame(rows)

    @abstractmethod
    def shown(self, rows: list[Row]) -> Mapping[str, list[dict[str, str]]]:
        """The table for people.

        Args:
            rows: from `run`, or from `indist.studies.read_rows`.

        Returns:
            A title for each part, and its lines: text by heading.
        """

    @abstractmethod
    def answer(self, rows: list[Row]) -> tuple[str, ...]:
        """The answer that these numbers support, in plain sentences.

        Args:
            rows: from `run`, or from `indist.studies.read_rows`.

        Returns:
            A sentence each; where the data do not decide, it says so, and about how many models
            it would take.
        """


def check_names(what: str, asked: Iterable[str], known: Collection[str]) -> None:
    """Names of a setting that are to be known ones.

    Raises:
        ValueError: for the first that is not.
    """
    for name in asked:
        if name not in known:
            raise ValueError(f"{what}: expected one of {', '.join(known)}, found {name!r}")


def read_rows(path: Path) -> list[Row]:
    """The rows of a study's CSV file; a missing value is left out of its row."""
    import pandas as pd

    # By index and column, as the stubs of `to_dict` know no records.
    table = pd.read_csv(path)
    lines = (dict(zip(table.columns, line, strict=True)) for line in table.itertuples(index=False))
    return [{str(k): v for k, v in line.items() if not pd.isna(v)} for line in lines]
