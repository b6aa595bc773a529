"""Training with differential privacy: when untraining has nothing left to do."""

from typing import Any

import audits
import oracles
from indist.studies._rows import Record
from indist.studies.illustrations._sources import Work

SCENARIO, DISCOVERY, DELTA = "logistic-3v8", 0.1, 0.01
SIGMAS = (2.5, 5.0, 10.0, 20.0, 40.0, 80.0)
TOLERANCE = 0.2


def numbers(work: Work) -> list[Record]:
    """A row a strength of noise, at γ = 0.1, ε = 1; bounds of an audit of the original itself.

    Returns:
        ``sigma`` (noise in clipping norms), ``claimed_epsilon`` (at δ = 0.01, for the group S),
        ``test`` (share right), ``distance``, ``lower``, ``upper`` ``_to_T`` and ``_to_B``.
    """
    rows: list[Record] = []
    for sigma in SIGMAS:
        references = work.references(
            SCENARIO, discovery=DISCOVERY, learner="private", learner_settings={"sigma": sigma}
        )
        scenario = references.scenario
        unlearner: Any = oracles.unlearners.UNLEARNERS["private-identity"](delta=DELTA)
        claim = unlearner.claim(scenario.learner, scenario.sizes["train"], scenario.sizes["forget"])
        audit = audits.audit(
            work.unlearned(references, "private-identity"),
            references,
            tolerance=TOLERANCE,
            claim=claim,
            observables=None,
        )
        row: Record = {"sigma": sigma, "claimed_epsilon": claim.epsilon}
        row["test"] = next(
            summary.accuracy
            for summary in audit.groups
            if (summary.population, summary.group) == ("submission", "test")
        )
        for reference, comparison in (("T", audit.untraining), ("B", audit.unlearning)):
            values = {
                "distance": comparison.estimate,
                "lower": comparison.lower,
                "upper": comparison.upper,
            }
            row |= {f"{name}_to_{reference}": value for name, value in values.items()}
        rows.append(row)
    return rows
