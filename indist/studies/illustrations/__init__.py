"""Numbers that only the paper's figures show, from populations kept in one folder.

Each module's ``numbers`` computes the rows of one figure; `indist.figures` draws them. Stands on
the studies for finished tables.
"""
