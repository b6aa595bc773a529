"""Colours of findings on the terminal."""

COLOURS = {
    "untraining": "cyan",
    "unlearning": "green",
    "both": "blue",
    "neither": "red",
    "inconclusive": "yellow",
    "contradicted": "red",
    "not contradicted": "green",
    "supported": "green",
    "refuted": "red",
    "undetermined": "yellow",
    "tells": "green",
    "cannot tell": "red",
    "ranks like it": "green",
    "does not": "red",
    "reached": "green",
    "not reached": "red",
}
