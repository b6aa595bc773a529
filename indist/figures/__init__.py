"""Figures for papers: each module draws one from plain arrays, and `save` writes it.

As wide as one column or a page, readable in grey, with words for labels. Users reach those of the
paper (`FIGURES`) by `indist figures`, and the others by `indist memorize`.
"""

from indist.figures import _extremes, _heat_map, _histogram, _self_cross
from indist.figures._paper import FIGURES, WIDTHS, PaperFigure, make
from indist.figures._save import save, save_widths
from indist.figures._work import Work
from indist.studies._study import read_rows

extremes, heat_map = _extremes.draw, _heat_map.draw
histogram, self_cross = _histogram.draw, _self_cross.draw

__all__ = [
    "FIGURES",
    "WIDTHS",
    "PaperFigure",
    "Work",
    "extremes",
    "heat_map",
    "histogram",
    "make",
    "read_rows",
    "save",
    "save_widths",
    "self_cross",
]
