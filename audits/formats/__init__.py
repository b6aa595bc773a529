r"""Formats of what people hold, each read into observations or into models to be run.

Which probes and groups a file's columns are is said by the file itself or by a `Mapping`, and is
never guessed. `sniff` looks at content, not only at names. Files in the format of indist itself are
for `audits.load`.

Example:
    >>> import pathlib, tempfile
    >>> from indist import audits
    >>> path = pathlib.Path(tempfile.mkdtemp()) / "mine.csv"
    >>> _ = path.write_text("model,probe,group,margin\n0,a,forget,1.5\n1,a,forget,-2\n")
    >>> audits.formats.sniff(path)
    'table'
    >>> audits.formats.read(path).seen.margins
    array([[ 1.5],
           [-2. ]])
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
