"""Scenario: the training set D, the forget set S, the behaviour B, the probes and the learner."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
from jaxtyping import Int

from estimators.checks import check_array
from oracles._learner import Learner
from oracles._probes import Examples, Probes, check_subset
from oracles.learners._registry import make
from oracles.storage.digests import digest_arrays, digest_json


@dataclass(frozen=True, eq=False)
class Scenario:
    """One world in which to ask the question: S ⊆ B ⊆ D, probes, and a learner.

    Attributes:
        name: its name in the registry, or the user's.
        title: what the behaviour is, in plain words.
        settings: the settings that made it (JSON values), among them ``seed`` and ``discovery``.
        train: the training set D.
        forget: indices into D of the forget set S.
        behaviour: indices into D of the behaviour B, every training example that shows it.
        probes: examples at which models are observed, in groups.
        classes: number of classes, at least 2.
        learner: the learner A.

    Raises:
        ValueError: when S ⊆ B ⊆ D does not hold, S or D∖B is empty, an index is repeated, or a
            label or probe does not fit; the message says which.

    Example:
        >>> from indist import oracles
        >>> scenario = oracles.scenarios.load("digits-trigger", discovery=0.5, seed=0)
        >>> scenario.discovery
        0.5
    """

    name: str
    title: str
    settings: Mapping[str, Any]
    train: Examples
    forget: Int[np.ndarray, " forget"]
    behaviour: Int[np.ndarray, " behaviour"]
    probes: Probes
    classes: int
    learner: Learner

    def __post_init__(self) -> None:
        for name, index in (("forget", self.forget), ("behaviour", self.behaviour)):
            check_subset(f"{self.name}: {name} set", index, len(self.train))
        stray = np.setdiff1d(self.forget, self.behaviour)
        if stray.size:
            raise ValueError(
                f"{self.name}: expected the forget set inside the behaviour, found training "
                f"example {stray[0]} in the forget set only ({stray.size} in all)"
            )
        if len(self.behaviour) == len(self.train):
            raise ValueError(f"{self.name}: expected training examples outside the behaviour")
        if self.train.inputs.shape[1:] != self.probes.inputs.shape[1:]:
            raise ValueError(
                f"{self.name}: expected probes of shape {self.train.inputs.shape[1:]} like the "
                f"training examples, found {self.probes.inputs.shape[1:]}"
            )
        for name, labels in (("training", self.train.labels), ("probe", self.probes.labels)):
            if labels.min() < 0 or labels.max() >= self.classes:
                raise ValueError(
                    f"{self.name}: expected {name} labels 0 to {self.classes - 1}, found "
                    f"{labels.min()} to {labels.max()}"
                )

    @property
    def discovery(self) -> float:
        """The discovery fraction γ = |S| / |B|."""
        return len(self.forget) / len(self.behaviour)

    @property
    def coincide(self) -> bool:
        """Whether S = B, so that both references are the same distribution by construction."""
        return len(self.forget) == len(self.behaviour)

    def excluding(self, index: Int[np.ndarray, " excluded"]) -> Int[np.ndarray, " included"]:
        """Indices of the training examples that remain without some."""
        return np.setdiff1d(np.arange(len(self.train)), index)

    def with_forget(self, indices: Int[np.ndarray, " forget"]) -> "Scenario":
        """The same world where another part S of the same behaviour B was found.

        Probes of the groups ``forget`` and ``behaviour`` become all of S and all of B∖S, with their
        training labels; the other groups stay. Where probes belong to persons, an example of B that
        was among them stays with its person. The settings say γ as ``discovery`` and the digest
        of the indices as ``forget``.

        Args:
            indices: indices into D, as the makers in `oracles.forget_sets` return them.

        Returns:
            A scenario of the same name, with a digest of its own.

        Raises:
            ValueError: when they are not a part of B, or repeat; the message says which.

        Example:
            >>> from indist import oracles
            >>> scenario = oracles.scenarios.load("digits-trigger", discovery=0.5, seed=0)
            >>> scenario.with_forget(scenario.behaviour[:6]).sizes["forget"]
            6
        """
        chosen = check_array(indices, "forget set")
        check_subset(f"{self.name}: forget set", chosen, len(self.train))
        checked = replace(self, forget=np.sort(chosen))
        unseen = np.setdiff1d(self.behaviour, checked.forget)
        new = Probes.join(
            [("forget", self.train.take(checked.forget)), ("behaviour", self.train.take(unseen))]
        )
        others = ~np.isin(self.probes.groups, ("forget", "behaviour"))
        persons = None
        if self.probes.persons is not None:
            persons = np.append(self._persons_of(new), self.probes.persons[others])
        probes = Probes(
            inputs=np.concatenate([new.inputs, self.probes.inputs[others]]),
            labels=np.concatenate([new.labels, self.probes.labels[others]]),
            groups=np.concatenate([new.groups, self.probes.groups[others]]),
            ids=np.concatenate([new.ids, self.probes.ids[others]]),
            persons=persons,
        )
        note = {"discovery": checked.discovery, "forget": digest_arrays({"forget": checked.forget})}
        return replace(checked, probes=probes, settings={**self.settings, **note})

    def _persons_of(self, probes: Probes) -> np.ndarray:
        """Whom probes belong to, told by the same inputs and label among those that are there."""
        held = self.probes
        known: dict[tuple[bytes, int], str] = {}
        for k in np.flatnonzero(np.isin(held.groups, ("forget", "behaviour"))):
            if held.persons is not None and held.persons[k]:
                known[held.inputs[k].tobytes(), int(held.labels[k])] = held.persons[k]
        found = [
            known.get((x.tobytes(), int(y)), "")
            for x, y in zip(probes.inputs, probes.labels, strict=True)
        ]
        return np.array(found, dtype=object)

    def with_learner(self, name: str, **settings: Any) -> "Scenario":
        """The same world with another learner.

        Args:
            name: a key of `oracles.learners.LEARNERS`, or ``package.module:factory``.
            **settings: of that learner.

        Returns:
            A scenario of the same name, with a digest of its own; its settings say the learner.

        Raises:
            ValueError: for an unknown learner or setting, or data that it cannot train on.

        Example:
            >>> from indist import oracles
            >>> scenario = oracles.scenarios.load("circles", seed=0)
            >>> scenario.with_learner("logistic", steps=50).learner.steps
            50
        """
        learner = make(name, self.train, self.classes, **settings)
        note = {"learner": name} | ({"learner_settings": settings} if settings else {})
        return replace(self, learner=learner, settings={**self.settings, **note})

    @cached_property
    def digest(self) -> str:
        """SHA-256 of data, sets, probes and learner: equal digests, equal question."""
        arrays = digest_arrays(
            {
                "inputs": self.train.inputs,
                "labels": self.train.labels,
                "forget": np.sort(self.forget),
                "behaviour": np.sort(self.behaviour),
            }
        )
        return digest_json([arrays, self.probes.digest, self.classes, self.learner.description])

    @property
    def sizes(self) -> dict[str, int]:
        """How many examples there are in D (``train``), B and S, and how many probes."""
        return {
            "train": len(self.train),
            "behaviour": len(self.behaviour),
            "forget": len(self.forget),
            "probes": len(self.probes),
        }

    @property
    def description(self) -> dict[str, Any]:
        """What manifests say of the scenario."""
        return {
            "name": self.name,
            "title": self.title,
            "settings": dict(self.settings),
            "sizes": self.sizes,
            "digest": self.digest,
        }
