"""Tables in pages that are written by programs and rules, each between two marks of its name."""

import re
from pathlib import Path


def show_table(page: Path, name: str, program: str, text: str) -> None:
    """Write the text in a page between the marks of its name; the first says who wrote it."""
    shown = f"<!-- {name}, written by {program} -->\n\n{text}\n\n<!-- end of {name} -->"
    page.write_text(_marked(name).sub(lambda _: shown, page.read_text()))


def shown_table(page: Path, name: str) -> str:
    """Return the text between the marks of a name."""
    (found,) = _marked(name).findall(page.read_text())
    return str(found).strip()


def _marked(name: str) -> re.Pattern[str]:
    return re.compile(rf"<!-- {name}, .*? -->\n(.*?)<!-- end of {name} -->", re.DOTALL)
