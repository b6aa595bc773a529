"""The claim that a submission makes of itself, as its recipe states it."""

from typing import Any

from audits._reading import SubmissionError
from oracles.mechanisms import Claim


def declared_claim(recipe: Any, where: str) -> Claim | None:
    """The claim that a population's recipe declares, as `oracles.unlearn` writes it.

    Args:
        recipe: the recipe.
        where: the file, for the message.

    Returns:
        The claim, or None.

    Raises:
        SubmissionError: when the field ``claim`` is there and is no claim.
    """
    found = recipe.get("claim")
    if found is None:
        return None
    known = {"epsilon", "delta", "mechanism", "source", "assumptions"}
    try:
        if not isinstance(found, dict) or not {"epsilon", "delta"} <= set(found) <= known:
            raise ValueError(f"expected epsilon, delta and perhaps {', '.join(sorted(known))}")
        return Claim(
            float(found["epsilon"]),
            float(found["delta"]),
            str(found.get("mechanism", "the submission"))[:2000],
            str(found.get("source", ""))[:2000],
            tuple(str(text)[:2000] for text in found.get("assumptions", ())),
        )
    except (TypeError, ValueError) as error:
        raise SubmissionError(f"{where}: field recipe.claim: {error}") from None
