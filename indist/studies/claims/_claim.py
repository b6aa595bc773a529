"""A claim of the note: where it stands, what it says, and how it is measured."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from indist.studies.claims._evidence import Evidence
from indist.studies.claims._worlds import World, Worlds


@dataclass(frozen=True)
class Claim:
    """One claim, or a part of one.

    Attributes:
        number: in the ledger; a letter for each part.
        section: of "Is your algorithm unlearning or untraining?" (2026), or where else.
        statement: one plain sentence.
        quantity: what the row's estimate is of.
        worlds: where it is measured.
        measure: measures and decides, by the rule in its docstring.
        settings: further arguments of it; ``statements`` is how many share the error.
        command: what reproduces the estimate, with fields ``world`` (and sizes), ``epsilon``,
            ``tolerance`` and ``confidence``. Empty for the study itself.
    """

    number: str
    section: str
    statement: str
    quantity: str
    worlds: tuple[World, ...]
    measure: Callable[..., Evidence]
    settings: Mapping[str, Any] = field(default_factory=dict[str, Any])
    command: str = ""

    @property
    def scenario(self) -> str:
        """Names of its worlds."""
        return "; ".join(world.words for world in self.worlds)

    def reproduced(self, worlds: Worlds, said: str) -> str:
        """The command that reproduces the estimate.

        Args:
            worlds: the settings.
            said: those that are not the study's defaults, as options of ``indist study``.
        """
        sizes = f"--models {worlds.models} --seed {worlds.seed}"
        if not self.command:
            return f"indist study claims {sizes}{said} --set only={self.number} -o DIR"
        options = self.worlds[0].options if self.worlds else ""
        return self.command.format(
            world=f"{options} {sizes} --data-seed {worlds.seed}",
            epsilon=worlds.epsilon,
            tolerance=worlds.tolerance,
            confidence=worlds.each(self.settings.get("statements", 1)),
        )
