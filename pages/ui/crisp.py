"""Small pictures in HTML: lossless, every pixel a square, with alt text and lines below."""

import html

from core.files import render
from core.types import Images

STYLE = """<style>
.crisp { display: grid; gap: 0.9rem; margin: 0; }
.crisp figure { margin: 0; min-width: 0; }
.crisp img { width: 100%; image-rendering: pixelated; border-radius: 0.3rem; display: block; }
.crisp figcaption { margin-top: 0.25rem; line-height: 1.35; font-size: 0.82rem; overflow-wrap: break-word; }
.crisp small { display: block; opacity: 0.75; font-size: inherit; }
</style>"""


def figure(x: Images, alt: str, lines: tuple[str, ...] = (), classes: str = "") -> str:
    """Return one picture (1, C, H, W) as an HTML figure; the first line stands out.

    Args:
        x: The picture.
        alt: What a screen reader says.
        lines: Plain text below it.
        classes: CSS classes.
    """
    url = render.data_url(render.png(render.to_uint8(x)[0]))
    first, *rest = (html.escape(line) for line in (*lines, "")) if lines else ("",)
    below = f"<figcaption><b>{first}</b>{''.join(f'<small>{line}</small>' for line in rest if line)}</figcaption>"
    image = f'<img src="{url}" alt="{html.escape(alt, quote=True)}">'
    return f'<figure class="{classes}">{image}{below if lines else ""}</figure>'
