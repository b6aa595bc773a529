"""Reading the pages that reports write, as strictly as no browser does."""

import re
from html.parser import HTMLParser

NASTY = "<script>alert(1)</script> $x_1$ {{ 7*7 }} & |*_`[a](b)"


class Page(HTMLParser):
    """The elements of a page: refuses what is left open, closed twice, or named twice."""

    void = frozenset({"meta", "link", "br", "hr", "img", "input"})

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: list[str] = []
        self.ids: list[str] = []
        self.attributes: list[tuple[str, str | None]] = []
        self.words: list[str] = []
        self.feed(text)
        assert not self.open
        assert len(self.ids) == len(set(self.ids))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += attrs
        self.ids += [value or "" for name, value in attrs if name == "id"]
        if tag not in self.void:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        if tag not in self.void:
            self.open.pop()

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.words.append(data)

    @property
    def text(self) -> str:
        return " ".join(" ".join(self.words).split())


def check_self_contained(html: str) -> None:
    """No script, no other file, no address: only references within the page."""
    page = Page(html)
    assert not {"script", "link", "img", "iframe", "object"} & set(page.tags)
    for name, value in page.attributes:
        assert not name.startswith("on"), name
        if name in ("href", "xlink:href", "src"):
            assert (value or "").startswith("#")
            assert (value or "")[1:] in page.ids
        elif "://" in (value or ""):
            assert name.startswith("xmlns")
    assert "@import" not in html
    for target in re.findall(r"url\(([^)]*)\)", html):
        assert target[1:] in page.ids
    assert "default-src &#39;none&#39;" in html or "default-src 'none'" in html
