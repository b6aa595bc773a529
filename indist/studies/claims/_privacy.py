"""Claim 8: a learner with differential privacy makes untraining a no-op, and unlearning not.

The scenario is ``logistic-3v8`` with the learner ``private``, and S of 4 examples, the tenth of B:
for a group of 4 its noise promises δ below 0.01 at ε = 1, for all 40 of B nothing of use. The rule
is `untrains`: supported when O matches T and differs from A(D∖B), refuted when O differs from T or
matches A(D∖B).
"""

from indist.studies._estimates import distance_of
from indist.studies._shown import shown_interval
from indist.studies.claims._claim import Claim
from indist.studies.claims._evidence import Evidence
from indist.studies.claims._populations import LedgerSettings, NamedScenario
from indist.studies.claims._untraining import AUDITED, audited, untrains


def _measured(ledger: LedgerSettings) -> Evidence:
    audit = audited(ledger, _PRIVATE)
    plain = audited(ledger, _PLAIN)
    note = (
        f"to A(D∖B) {shown_interval(*distance_of(audit.unlearning))}; with the scenario's own "
        f"learner O is {shown_interval(*distance_of(plain.untraining))} from T"
    )
    judgement = untrains(audit.untraining, audit.unlearning)
    return Evidence(distance_of(audit.untraining), judgement, ledger.models, note)


_PRIVATE = NamedScenario("logistic-3v8", {"discovery": 0.1}, learner="private")
_PLAIN = NamedScenario("logistic-3v8", {"discovery": 0.1})

CLAIMS = (
    Claim(
        number="8",
        section="§7",
        statement="Differential privacy makes untraining a no-op, and unlearning not.",
        quantity="divergence of O from T, half-lines of the median margins",
        scenarios=(_PRIVATE, _PLAIN),
        measure=_measured,
        command=AUDITED,
    ),
)
