"""Claim 8: a learner with differential privacy makes untraining a no-op, and unlearning not.

The world is ``logistic-3v8`` with the learner ``private``, and S of 4 examples, the tenth of B: for
a group of 4 its noise promises δ below 0.01 at ε = 1, for all 40 of B nothing of use. The rule is
`untrains`: supported when O matches T and differs from A(D∖B), refuted when O differs from T or
matches A(D∖B).
"""

from indist.studies.claims._claim import Claim
from indist.studies.claims._evidence import Evidence, distance, shown
from indist.studies.claims._untraining import AUDITED, audited, untrains
from indist.studies.claims._worlds import World, Worlds


def _measured(worlds: Worlds) -> Evidence:
    audit = audited(worlds, _PRIVATE)
    plain = audited(worlds, _PLAIN)
    note = (
        f"to A(D∖B) {shown(distance(audit.unlearning))}; with the scenario's own learner O is "
        f"{shown(distance(plain.untraining))} from T"
    )
    part = untrains(audit.untraining, audit.unlearning)
    return Evidence(distance(audit.untraining), part, worlds.models, note)


_PRIVATE = World("logistic-3v8", {"discovery": 0.1}, learner="private")
_PLAIN = World("logistic-3v8", {"discovery": 0.1})

CLAIMS = (
    Claim(
        number="8",
        section="§7",
        statement="Differential privacy makes untraining a no-op, and unlearning not.",
        quantity="divergence of O from T, half-lines of the median margins",
        worlds=(_PRIVATE, _PLAIN),
        measure=_measured,
        command=AUDITED,
    ),
)
