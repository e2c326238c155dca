"""The line from bugs to features: nine claims and the visitor on it.

Nothing is on it that its label does not say too.
"""

import html

from core.debate.claims import CLAIMS

STYLE = """<style>
.line { position: relative; height: 5.6rem; margin: 0.4rem 1.2rem 0.2rem; }
.line .rail { position: absolute; left: 0; right: 0; top: 2.75rem; height: 6px; border-radius: 3px;
  background: linear-gradient(90deg, #e69f00, #8c8c8c55, #0072b2); }
.line .claim { position: absolute; top: 1.9rem; width: 2rem; height: 2rem; margin-left: -1rem; border-radius: 50%;
  background: #fff; border: 2px solid #1c262d; color: #1c262d; text-align: center; line-height: 1.75rem;
    font-weight: 600; }
.line .claim.open { background: #0b6e80; border-color: #0b6e80; color: #fff; }
.line .you { position: absolute; top: 0; margin-left: -2.5rem; width: 5rem; text-align: center; font-size: 0.8rem;
  line-height: 1.1; }
.line .you.after { top: 4.1rem; }
.line .end { position: absolute; top: 4.2rem; font-size: 0.95rem; font-weight: 600; }
@media (max-width: 700px) { .line { margin: 0.4rem 1rem; } }
</style>"""
NUMBERS = {key: i for i, key in enumerate(CLAIMS, 1)}


def line(opened: str, before: int, after: int | None) -> str:
    """Draw the line with its claims; the open one is filled, the visitor's places are marked above and below."""
    said = "; ".join(f"{NUMBERS[key]}, {claim.who}, at {claim.at}" for key, claim in CLAIMS.items())
    claims = "".join(
        f'<span class="claim{" open" if key == opened else ""}" style="left: {claim.at}%"'
        f' title="{html.escape(f"{claim.who}: {claim.title}")}">{NUMBERS[key]}</span>'
        for key, claim in CLAIMS.items()
    )
    you = f'<span class="you" style="left: {before}%">you, before<br>▼</span>'
    if after is not None:
        you += f'<span class="you after" style="left: {after}%">▲<br>you, now</span>'
    return (
        f'{STYLE}<div class="line" role="img" aria-label="A line from 0, bugs, to 100, features. {html.escape(said)}.'
        f' You: {before}{"" if after is None else f" before, {after} now"}."><span'
        f' class="rail"></span>{you}{claims}<span class="end" style="left: -1rem">bugs</span><span class="end"'
        ' style="right: -1rem">features</span></div>'
    )
