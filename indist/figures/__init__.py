"""Figures for papers: each module draws one from plain arrays, and `save` writes it.

As wide as one column or a page, readable in grey, with words for labels. Users reach them by
`indist memorize`.
"""

from indist.figures import _extremes, _heat_map, _histogram, _self_cross
from indist.figures._save import save

extremes, heat_map = _extremes.draw, _heat_map.draw
histogram, self_cross = _histogram.draw, _self_cross.draw

__all__ = ["extremes", "heat_map", "histogram", "save", "self_cross"]
