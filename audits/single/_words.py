"""What one model allows to be said, and what it does not, in plain sentences."""

import math

from audits.report._words import REFERENCES, WITHOUT
from audits.report.numbers import counted
from audits.single._results import LikelihoodRatio, RankTest

_NOTHING_OF_THE_ALGORITHM = (
    "One model says nothing of the distribution that its algorithm makes: no epsilon, no delta and "
    "no likeness follow from it."
)


def headline(untraining: RankTest, unlearning: RankTest) -> str:
    """What the model is consistent with, in brief."""
    return f"{_claim(untraining)}. {_claim(unlearning, 'it')}."


def sentence(untraining: RankTest, unlearning: RankTest, ratio: LikelihoodRatio | None) -> str:
    """What the model is consistent with, and what cannot be concluded."""
    parts = [_against(untraining), _against(unlearning)]
    if ratio is not None:
        parts.append(_ratio(ratio))
    if untraining.finding == unlearning.finding == "consistent":
        parts.append("Being consistent with both, it is not decided which it is like.")
    return " ".join([*parts, _NOTHING_OF_THE_ALGORITHM])


def evidence(test: RankTest) -> list[str]:
    """Lines of plain text: the probes outside of a reference's range, and each observable."""
    return [
        f"{test.reference}: outside the range of its {counted(test.models, 'model')} on "
        f"{int(test.outside.sum())} of {counted(len(test.outside), 'probe')}, where one of them "
        f"would be on about {test.outside_expected:.3g} (p = {test.outside_pvalue:.2g})",
        *(
            f"  {rank.observable}: {rank.value:.3f}, reference {rank.low:.3f} to "
            f"{rank.high:.3f}, p = {rank.pvalue:.2g}"
            for rank in test.groups
        ),
    ]


def _claim(test: RankTest, who: str = "the submitted model") -> str:
    without = WITHOUT[test.reference]
    if test.finding == "undecided":
        return f"It cannot be told whether {who} is consistent with {without}"
    return f"{who[0].upper()}{who[1:]} is {test.finding} with {without}"


def _against(test: RankTest) -> str:
    floor = 1.0 / (test.models + 1)
    tested = (
        f"exact rank test on {counted(len(test.groups), 'observable')} against "
        f"{counted(test.models, 'model')}, p = {test.pvalue:.2g}, never below {floor:.2g}"
    )
    if test.finding == "undecided":
        needed = math.ceil(1.0 / test.level - 1e-9) - 1
        return (
            f"{_claim(test)} ({tested}): the level {test.level:.3g} is out of reach with fewer "
            f"than {needed:,} models."
        )
    if test.finding == "inconsistent":
        farthest = min(test.groups, key=lambda rank: rank.pvalue)
        tested += (
            f"; farthest in the {farthest.observable}, {farthest.value:.3g} where theirs are "
            f"{farthest.low:.3g} to {farthest.high:.3g}"
        )
    return f"{_claim(test)} ({tested})."


def _ratio(ratio: LikelihoodRatio) -> str:
    rates = [
        f"{rate.errors} of {rate.models} held-out {WITHOUT[name]} "
        f"({100 * rate.low:.2g} to {100 * rate.high:.2g} %)"
        for name, rate in zip(REFERENCES, (ratio.untraining, ratio.unlearning), strict=True)
    ]
    if ratio.towards is None:
        return "The likelihood ratio of the two references points to neither."
    return (
        f"The likelihood ratio of the two references points to {ratio.towards} (its ln is "
        f"{ratio.value:+.2g}); it errs on {rates[0]} and on {rates[1]}, and says nothing of models "
        "that are neither."
    )
