"""Claim 12, exact methods and forging.

Exact methods claim ε = δ = 0 against T. SISA draws anew, so its claim is about a distribution:
refuted when the lower bound on the divergence at ε = 0 is above 0, supported when the upper bound
is within the tolerance, which at ε = 0 takes four times the models. Naive Bayes in summation form
has no randomness: its claim is that parameters are equal to the last bit, and holds or does not.

Forging is linear algebra: a record whose label lies on the line fitted to the others can be taken
out, and least squares give the same model. Supported when over all records the coefficients move by
no more than rounding does, refuted when they move more; undetermined when taking out the records
as they are moves them no more either, as then nothing was tested.
"""

from dataclasses import replace

import jax
import numpy as np
from sklearn.datasets import load_diabetes

import audits
from audits.memorization import Estimate
from indist.studies._estimates import distance_of
from indist.studies.claims._claim import Claim
from indist.studies.claims._evidence import Evidence, Judgement
from indist.studies.claims._populations import LedgerSettings, NamedScenario

_MORE = 4
_ROUNDINGS = 100


def exact(divergence: Estimate, tolerance: float, needed: int | None) -> Judgement:
    """SISA; see the rule above.

    Args:
        divergence: at ε = 0.
        tolerance: of equivalence.
        needed: the audit's forecast.
    """
    if divergence.low > 0.0:
        return Judgement("refuted")
    if divergence.high <= tolerance:
        return Judgement("supported")
    return Judgement("undetermined", needed)


def forging(on_the_line: float, as_it_is: float, rounding: float) -> Judgement:
    """Forging; see the rule above.

    Args:
        on_the_line: greatest relative change of the coefficients when the record lies on the line.
        as_it_is: the same with the record's own label.
        rounding: relative change that rounding alone explains.
    """
    if on_the_line > rounding:
        return Judgement("refuted")
    return Judgement("supported" if as_it_is > rounding else "undetermined")


def forged() -> tuple[float, float, float]:
    """Takes each record of scikit-learn's diabetes data out of a least-squares fit.

    Returns:
        Greatest relative change of the coefficients with the record's label on the line fitted to
        the others, and with its own label; and what rounding explains, a hundred units in the last
        place times the condition number.

    Example:
        >>> on_the_line, as_it_is, rounding = forged()
        >>> on_the_line < rounding < as_it_is
        True
    """
    features, labels = load_diabetes(return_X_y=True)
    design = np.column_stack([np.ones(len(labels)), np.asarray(features, dtype=np.float64)])
    changes = np.zeros((2, len(labels)))
    for k, row in enumerate(design):
        others = np.delete(design, k, axis=0)
        without = np.linalg.lstsq(others, np.delete(labels, k))[0]
        for place, label in enumerate((row @ without, labels[k])):
            moved = np.array(labels)
            moved[k] = label
            fitted = np.linalg.lstsq(design, moved)[0]
            size = np.linalg.norm(without)
            changes[place, k] = np.linalg.norm(fitted - without) / size
    rounding = _ROUNDINGS * float(np.finfo(np.float64).eps) * float(np.linalg.cond(design))
    return float(changes[0].max()), float(changes[1].max()), rounding


def _sisa(ledger: LedgerSettings) -> Evidence:
    more = replace(ledger, models=_MORE * ledger.models)
    references = more.references(_SISA)
    audit = audits.audit(
        more.unlearned(references, "sisa"),
        references,
        epsilon=0.0,
        tolerance=ledger.tolerance,
        confidence=ledger.confidence,
        observables=None,
    )
    divergence, forecast = distance_of(audit.untraining), audit.untraining.forecast
    judgement = exact(divergence, ledger.tolerance, forecast.models if forecast else None)
    return Evidence(divergence, judgement, more.models, "at ε = 0")


def _counts(ledger: LedgerSettings) -> Evidence:
    references = replace(ledger, models=1).references(_COUNTS)
    made = ledger.unlearned(references, "summation-form").parameters()
    pairs = zip(
        jax.tree.leaves(made), jax.tree.leaves(references.untraining.parameters()), strict=True
    )
    far = max(float(np.abs(first - second).max()) for first, second in pairs)
    note = "greatest difference of a count; neither learner nor unlearner is random, so one model"
    return Evidence(Estimate(far, far, far), Judgement("refuted" if far else "supported"), 1, note)


def _forged(ledger: LedgerSettings) -> Evidence:
    del ledger
    on_the_line, as_it_is, rounding = forged()
    note = (
        f"442 records; with their own labels {as_it_is:.1g}; rounding explains {rounding:.1g}: no "
        "audit of this model can tell whether such a record was in"
    )
    change = Estimate(on_the_line, on_the_line, on_the_line)
    return Evidence(change, forging(on_the_line, as_it_is, rounding), 1, note)


_SISA = NamedScenario("circles", learner="sisa")
_COUNTS = NamedScenario("digits-trigger", learner="naive-bayes")

CLAIMS = (
    Claim(
        number="12a",
        section="slides",
        statement="SISA is exact: ε = δ = 0 against T.",
        quantity="divergence of SISA's output from T at ε = 0, half-lines of the median margins",
        scenarios=(_SISA,),
        measure=_sisa,
    ),
    Claim(
        number="12b",
        section="slides",
        statement="Summation-form naive Bayes is exact: ε = δ = 0 against T.",
        quantity="greatest absolute difference of a parameter from T",
        scenarios=(_COUNTS,),
        measure=_counts,
    ),
    Claim(
        number="12c",
        section="slides",
        statement="Forging: a removed point on the fitted line leaves the model as it was.",
        quantity="greatest relative change of least-squares coefficients",
        scenarios=(),
        measure=_forged,
        command='python -c "from indist.studies.claims import forged; print(forged())"',
    ),
)
