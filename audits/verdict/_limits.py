"""What an audit cannot conclude, in the words of the audit at hand."""

from audits.report._blocks import Pairs
from audits.report._words import POPULATION_NAMES
from audits.report.numbers import count, level, plain
from audits.verdict._findings import AuditFindings
from audits.verdict._words import REFERENCES_SEEN


def cannot_conclude(audit: AuditFindings) -> Pairs:
    """Pairs of a claim that a reader might take away, and why this audit does not support it."""
    return (*_of_verdict(audit), *_of_view(audit), *_of_design(audit))


def _of_verdict(audit: AuditFindings) -> list[tuple[str, str]]:
    declared = audit.declaration
    tolerance, epsilon = plain(declared.tolerance), plain(declared.epsilon)
    found: list[tuple[str, str]] = []
    comparisons = (audit.untraining, audit.unlearning)
    matched = [POPULATION_NAMES[pair.second] for pair in comparisons if pair.decision == "match"]
    differed = [POPULATION_NAMES[pair.second] for pair in comparisons if pair.decision == "differ"]
    if audit.separation == "coincide":
        found.append(
            (
                "That the submission is one and not the other.",
                "The references match each other, so at this tolerance there is nothing to tell "
                "apart: being like one of them is being like both.",
            )
        )
    if audit.verdict == "both" and audit.separation != "coincide":
        found.append(
            (
                "That untraining and unlearning are the same here.",
                "The submission is within the tolerance of both references. That does not put "
                "them within the tolerance of each other.",
            )
        )
    if matched:
        found.append(
            (
                f"That the submission is identical to the {' or the '.join(matched)}.",
                f"It matches up to the declared tolerance: at ε = {epsilon}, a divergence of up to "
                f"{tolerance} may be there. Nor does it say that the algorithm retrains, only "
                "that its models look as if it did.",
            )
        )
    if differed:
        found.append(
            (
                f"How much the difference from the {' and the '.join(differed)} matters.",
                "A difference beyond the tolerance is established, in either direction and on "
                "some declared observable. Whether it is harm, and to whom, is not a question of "
                "distributions; the table by probe group shows where it lies.",
            )
        )
    if audit.verdict == "neither":
        found.append(
            (
                "That the algorithm did nothing.",
                "Neither says only that the result is like no model trained without the data; "
                "compare it with the original.",
            )
        )
    if audit.verdict == "inconclusive":
        found.append(
            (
                "A match, or a difference, where the audit is undecided.",
                "Too little data to see a difference is no evidence that there is none.",
            )
        )
    return found


def _of_view(audit: AuditFindings) -> list[tuple[str, str]]:
    declared = audit.declaration
    return [
        (
            "Anything about what was not looked at.",
            f"The upper bounds hold for a declared class of events: {declared.events}. They bound "
            "what this auditor could see, never the models as a whole: no finite sample can do "
            "that. The lower bounds do carry over: populations that differ in this view differ.",
        ),
        (
            "An (ε, δ) guarantee for the algorithm, or privacy for the forget set.",
            "Such a guarantee is for every event and every data set. This audit has looked at one "
            "training set, one forget set, one behaviour and one learner.",
        ),
    ]


def _of_design(audit: AuditFindings) -> list[tuple[str, str]]:
    models = audit.untraining.models_first
    return [
        (
            "Anything about a single model.",
            f"The unit is the model and the subject is their distribution: {count(models)} "
            "submitted models are one sample of what the algorithm makes. Any one of them may be "
            "unlike the rest.",
        ),
        (
            "That the models are what their makers say.",
            "The bounds take the submitted models for independent runs of one algorithm, and the "
            "references for independent trainings without the data named. The digests fix which "
            "observations were audited, not how the models came to be.",
        ),
        (
            "That nobody has fitted the submission to these references.",
            f"{REFERENCES_SEEN[audit.declaration.references_seen].capitalize()}. Whoever can see "
            "the observations of the references can choose models that agree with them by chance, "
            "or make them agree: such a submission passes more often than the stated error. "
            "References trained afresh, with a seed drawn after hand-in, cure it.",
        ),
        (
            "That the behaviour is complete.",
            "The unlearning reference was trained without the examples that the scenario lists as "
            "the behaviour. Instances it does not list were in every training set.",
        ),
        (
            "That the best of many audits is right.",
            f"The {level(audit.declaration.confidence)} confidence is for one audit, declared "
            "before its data were seen. Choosing a submission, an ε or a tolerance by its audit "
            "uses that confidence up.",
        ),
    ]
