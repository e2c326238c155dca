"""Small pictures in HTML: lossless, every pixel a square, with alt text and lines below."""

import html
import re

from core.files import render
from core.types import Images

STYLE = """<style>
.crisp { display: grid; gap: 0.9rem; margin: 0; }
.crisp figure { margin: 0; min-width: 0; }
.crisp img { width: 100%; image-rendering: pixelated; border-radius: 0.3rem; display: block; }
.crisp figcaption { margin-top: 0.25rem; line-height: 1.35; font-size: 0.82rem; overflow-wrap: break-word; }
.crisp .whole { white-space: nowrap; }
.crisp small { display: block; opacity: 0.75; font-size: inherit; }
</style>"""
WHOLE = re.compile(r"\b[A-Za-z]{1,10}-\d{1,3}\b|[\d.]+ %")  # ResNet-9 and 99.9 % stay on one line


def figure(x: Images, alt: str, lines: tuple[str, ...] = (), classes: str = "") -> str:
    """Return one picture (1, C, H, W) as an HTML figure; the first line stands out.

    Args:
        x: The picture.
        alt: What a screen reader says.
        lines: Plain text below it.
        classes: CSS classes.
    """
    url = render.data_url(render.png(render.to_uint8(x)[0]))
    first, *rest = map(_line, (*lines, ""))
    below = f"<figcaption><b>{first}</b>{''.join(f'<small>{line}</small>' for line in rest if line)}</figcaption>"
    image = f'<img src="{url}" alt="{html.escape(alt, quote=True)}">'
    return f'<figure class="{classes}">{image}{below if lines else ""}</figure>'


def _line(text: str) -> str:
    return WHOLE.sub(r'<span class="whole">\g<0></span>', html.escape(text))
