"""What cannot be concluded from logs, in the words of the comparison at hand."""

from audits.llm._findings import LLMFindings
from audits.report._blocks import Pairs


def cannot_conclude(audit: LLMFindings) -> Pairs:
    """Pairs of a claim that a reader might take away, and why the logs do not support it."""
    claims = [
        (
            "Any ε or δ, or that the models are alike.",
            "No test here bounds a distance. That nothing was found may be for want of models, of "
            "examples or of a metric that would show it.",
        )
    ]
    if any(comparison.noise == "examples" for comparison in audit.comparisons):
        claims.append(
            (
                "That another reference model would say the same.",
                "One reference model was given for a kind of reference. Its training seed is one "
                "draw: models of one recipe differ too, and by how much is unknown here.",
            )
        )
    if all(comparison.reference != "unlearning" for comparison in audit.comparisons):
        claims.append(
            (
                "Whether the models unlearned the behaviour.",
                "Only models without the forget set were given to compare with. They may show the "
                "behaviour themselves, from examples that nobody handed over.",
            )
        )
    if len(audit.logs["submission"]) == 1:
        claims.append(
            (
                "That the algorithm’s other models are like this one.",
                "One submitted model is one draw from what the algorithm makes.",
            )
        )
    return (
        *claims,
        (
            "Anything that these metrics do not see.",
            "Models may agree in the mean of a metric and differ in all else.",
        ),
        (
            "That the logs are what their makers say.",
            "The digests fix which scores were compared, not which model wrote them, nor that it "
            "was asked the same questions where a log holds no text.",
        ),
        (
            "That the best of many comparisons is right.",
            "The confidence is for one comparison whose metrics were fixed before looking.",
        ),
    )
