"""A claim of the note: where it stands, what it says, and how it is measured."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from indist.studies.claims._evidence import Evidence
from indist.studies.claims._populations import LedgerSettings, NamedScenario


@dataclass(frozen=True)
class Claim:
    """One claim, or a part of one.

    Attributes:
        number: in the ledger; a letter for each part.
        section: of "Is your algorithm unlearning or untraining?" (2026), or where else.
        statement: one plain sentence.
        quantity: what the row's estimate is of.
        scenarios: where it is measured.
        measure: measures and decides, by the rule in its docstring.
        settings: further arguments of it; ``statements`` is how many share the error.
        command: what reproduces the estimate, with fields ``scenario`` (and sizes), ``epsilon``,
            ``tolerance`` and ``confidence``. Empty for the study itself.
    """

    number: str
    section: str
    statement: str
    quantity: str
    scenarios: tuple[NamedScenario, ...]
    measure: Callable[..., Evidence]
    settings: Mapping[str, Any] = field(default_factory=dict[str, Any])
    command: str = ""

    @property
    def where(self) -> str:
        """Names of its scenarios."""
        return "; ".join(scenario.words for scenario in self.scenarios)

    def reproduced(self, ledger: LedgerSettings, changed: str) -> str:
        """The command that reproduces the estimate.

        Args:
            ledger: the settings.
            changed: those that are not the study's defaults, as options of ``indist study``.
        """
        sizes = f"--models {ledger.models} --seed {ledger.seed}"
        if not self.command:
            return f"indist study claims {sizes}{changed} --set only={self.number} -o DIR"
        options = self.scenarios[0].options if self.scenarios else ""
        return self.command.format(
            scenario=f"{options} {sizes} --data-seed {ledger.seed}",
            epsilon=ledger.epsilon,
            tolerance=ledger.tolerance,
            confidence=ledger.each(self.settings.get("statements", 1)),
        )
