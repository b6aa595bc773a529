"""The words that all audits share: one name, and one explanation, for each thing they speak of."""

from typing import Literal

ReferenceName = Literal["untraining", "unlearning"]
Consistency = Literal["consistent", "inconsistent", "undecided"]

REFERENCES: tuple[ReferenceName, ReferenceName] = ("untraining", "unlearning")

WITHOUT: dict[ReferenceName, str] = {
    "untraining": "models never trained on the forget set",
    "unlearning": "models never trained on the behaviour",
}

POPULATION_NAMES = {
    "submission": "submission",
    "original": "original",
    "untraining": "untraining reference",
    "unlearning": "unlearning reference",
}
LETTERS = (
    "D is the training set. B, the behaviour, is every training example that shows it; S, the "
    "forget set, is the part of B that was found and handed over, the share γ = |S| / |B| of it."
)
WHO = {
    "submission": "the models handed in, made from the original by the algorithm under audit",
    "original": "models trained on all of D, before anything was taken out",
    "untraining": "models trained anew on D without the forget set S",
    "unlearning": "models trained anew on D without the whole behaviour B",
}

GROUPS = {
    "forget": "the examples of the behaviour that were found and handed over (S)",
    "behaviour": "training examples of the behaviour that nobody handed over (B without S)",
    "behaviour_test": "new instances of the behaviour, in no training set",
    "near": "examples that resemble the behaviour but are not of it",
    "retain": "training examples outside the behaviour (D without B)",
    "test": "ordinary examples, in no training set",
}


def group_name(group: str) -> str:
    """A probe group as readers see it.

    Example:
        >>> group_name("behaviour_test")
        'behaviour test'
    """
    return group.replace("_", " ")
