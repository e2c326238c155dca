"""Text that is not ours, such as names and addresses, shown as it stands: in HTML, and in Markdown.

What models, worlds and classes are called may come from somebody's file, and an error may repeat what an address says.
"""

import html
import re

# What begins emphasis, code, a link, a tag, LaTeX or an entity anywhere; a directive or an icon, before a word; a list
# or a heading, at the start.
MARKS = re.compile(r"([\\`*\[\]<>~$|&{}]|(?<!\w)_|_(?!\w)|:(?=\w)|^[-+#=]|(?<=^\d)[.)])")
LINKS = re.compile(r"(?i)(www)(?=\.)|(https?:)(?=//)|(?<=\w)(@)(?=\w)")  # what is made a link also without any mark
JOINER = "\u2060"  # no width, and no line may break at it


class Html(str):
    """Text that is HTML already: its tags are ours, and whatever came from elsewhere in it is escaped."""

    __slots__ = ()


def html_of(*texts: object) -> Html:
    """Return texts as HTML that shows them as they stand, in an element or an attribute; `Html` stays what it is."""
    return Html("".join(text if isinstance(text, Html) else html.escape(str(text)) for text in texts))


def plain(text: object) -> str:
    """Return text as Markdown that shows it as it stands, in one paragraph: no link, picture, colour or formula."""
    joined = LINKS.sub(lambda found: found[0] + JOINER, " ".join(str(text).split()))
    return MARKS.sub(r"\\\1", joined)
