"""Figures for papers: each module draws one from plain arrays, and `save` writes it.

As wide as one column or a page, readable in grey, with words for labels. Users reach those of the
paper (`FIGURES`) by `indist figures`, and the others by `indist memorize`.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
