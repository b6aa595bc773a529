"""Forgetting a part of a class: digits in five classes, the behaviour is one digit of a class."""

from dataclasses import dataclass
from typing import ClassVar

from oracles._probes import Examples
from oracles.scenarios._digits_class import DigitForgotten


@dataclass(frozen=True)
class DigitsSubclass(DigitForgotten):
    """Real digits in classes of two, 01 23 45 67 89; B = every training example of one digit.

    The class lives on in the other digit: the ``near`` probes are test examples of it. The default
    is a digit that models without B do not take for the other one of its class.

    Settings of every scenario: `Knobs`.

    Attributes:
        digit: the digit to forget, 0 to 9.
        examples: |B|, how many training examples of it there are, 2 to 100; the rest are left out
            of D. None: all, about 127.
    """

    digit: int = 5
    _name: ClassVar[str] = "digits-subclass"
    _classes: ClassVar[int] = 5

    @property
    def _title(self) -> str:
        return f"every digit {self.digit}, of a class shared with digit {self._look_alike}"

    @property
    def _look_alike(self) -> int:
        return self.digit ^ 1

    def _labelled(self, digits: Examples) -> Examples:
        """Digits 0 and 1 as class 0, 2 and 3 as class 1, and so on."""
        return Examples(digits.inputs, digits.labels // 2)
