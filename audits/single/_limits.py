"""What cannot be concluded from one model, in the words of the audit at hand."""

from audits.report._blocks import Pairs
from audits.single._findings import SingleFindings


def cannot_conclude(audit: SingleFindings) -> Pairs:
    """Pairs of a claim that a reader might take away, and why one model does not support it."""
    findings = {audit.untraining.finding, audit.unlearning.finding}
    claims = [
        (
            "Any ε or δ, or that the algorithm is certified.",
            "Both speak of the distribution of what the algorithm makes, and one model is one draw "
            "from it. They take many independent runs: hand in several models for an audit.",
        ),
        (
            "That the algorithm’s other models are like this one.",
            "Another seed may give a model at another place. That the model is consistent with a "
            "reference does not make its algorithm an untraining or an unlearning one.",
        ),
    ]
    if "consistent" in findings:
        claims.append(
            (
                "That the model is like a reference it is consistent with.",
                "It is not unusual there in the declared observables. Too weak a look finds "
                "nothing unusual either, and models that were never retrained may pass.",
            )
        )
    if findings == {"consistent"}:
        claims.append(
            (
                "Which of the two references it is like.",
                "It is consistent with both. The likelihood ratio says which of them makes such a "
                "model more often, and how often that is wrong; it does not say that it is either.",
            )
        )
    if "inconsistent" in findings:
        claims.append(
            (
                "That an inconsistent model still holds what it should have forgotten.",
                "It is unusual among models that never saw the data, in some direction. The tables "
                "show where it lies and on which side; whether that is harm is another question.",
            )
        )
    if "undecided" in findings:
        claims.append(
            (
                "Anything from a test that is undecided.",
                "With so few reference models no model at all could be found inconsistent.",
            )
        )
    return (
        *claims,
        (
            "That a single probe was remembered.",
            "The p-values of probes are exact for each alone and pay for no choice among them: of "
            "many probes some lie outside by chance, about as many as said above.",
        ),
        (
            "Anything about what was not looked at.",
            "The model was seen at the references’ probes only, in one scenario.",
        ),
        (
            "That the model is what its maker says.",
            "The digests fix what was audited, not how it came to be. A model chosen among several "
            "for its audit is not one draw, and the tests do not hold for it.",
        ),
    )
