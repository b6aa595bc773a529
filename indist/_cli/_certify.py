"""``indist certify``: claims of mechanisms beside what two files of samples show."""

from pathlib import Path
from typing import Annotated

import typer

from indist import audits, oracles
from indist._cli._errors import parse_settings
from indist._cli._options import Settings


def certify(
    samples: Annotated[
        list[Path] | None,
        typer.Argument(help="Two files of samples, .npy, .npz or .csv: one model a row."),
    ] = None,
    mechanism: Annotated[str | None, typer.Option(help="What makes the claim, by name.")] = None,
    settings: Settings = None,
    claim: Annotated[
        tuple[float, float] | None, typer.Option(metavar="EPSILON DELTA", help="A claim by hand.")
    ] = None,
    epsilon: Annotated[float | None, typer.Option(help="Where to give or bound δ.")] = None,
    delta: Annotated[float | None, typer.Option(help="Where to give or bound ε.")] = None,
    confidence: Annotated[float, typer.Option(help="Confidence of each bound.")] = 0.95,
) -> None:
    """Gives an (ε, δ) certificate: claimed by a mechanism, measured on two samples, or both.

    With both, the measured lower bound is set beside the claim: above it, the claim is refuted.
    """
    samples = samples or []
    if mechanism is not None and claim is not None:
        raise ValueError("--mechanism and --claim: expected one of them, found both")
    if mechanism is None and settings:
        raise ValueError("--set: expected with --mechanism only")
    if len(samples) not in (0, 2):
        raise ValueError(f"samples: expected two files or none, found {len(samples)}")
    claimed = None if claim is None else oracles.mechanisms.Claim(*claim)
    if mechanism is not None:
        values = parse_settings(settings or [])
        claimed = audits.claim_of(mechanism, values, epsilon=epsilon, delta=delta)
    if not samples:
        if claimed is None:
            raise ValueError("expected two files of samples, a --mechanism, or a --claim")
        typer.echo(str(claimed))
        return
    p, q = audits.read_sample_pair(*samples)
    measured = audits.certify(
        p.values,
        q.values,
        claim=claimed,
        epsilon=None if claimed else epsilon,
        delta=None if claimed else delta,
        confidence=confidence,
        observables=p.observables,
    )
    typer.echo(str(measured))
