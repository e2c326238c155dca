"""What was measured of style transfer over several pairs of pictures, below what the page paints."""

import streamlit as st

from core.debate.measured import measured as numbers_of
from core.debate.views import reading
from core.models.titles import title, titles
from core.style import views
from core.style.measure import PAIR
from core.style.views import Judged
from pages.ui.bars import bars
from pages.ui.stale import say_stale
from pages.ui.tables import strong, table


def measured() -> None:
    """Show what the judges see in what both networks painted, on average."""
    st.markdown("#### Over several pairs")
    found, numbers = views.results("pairs"), numbers_of("nakano")
    if found is None:
        st.info(f"Not measured yet. Measure it with: {views.again('pairs')}")
        return
    if numbers:
        st.html(bars(numbers))
        st.markdown(reading("nakano", numbers))
    judges = views.judged(found)
    show(judges, int(found["n"]))
    st.caption(
        f"{found['n']} pairs of a photograph and a texture, {found['side']} pixels, {found['steps']} steps; 0 is the"
        " style itself, 100 % the untouched content. Content distances are relative and squared: 0 is untouched, 1 as"
        " far as from nothing at all. In brackets 95 % intervals over the pairs; there is one network of each kind, so"
        f" they say nothing of another seed. {found['date']}."
    )
    say_stale(found, views.again("pairs"))


def show(judges: dict[str, Judged], n: int) -> None:
    """Show a row for each judge: what is left of the distance to the style, how far the content moved, and who won.

    Args:
        judges: What each saw.
        n: Pairs of pictures.
    """
    painted = next(iter(judges.values())).style
    painters = sorted(painted, key=lambda name: PAIR.index(name) if name in PAIR else len(PAIR))
    called = dict(zip(painters, titles(*painters), strict=True))
    heads = [
        "Judge",
        *(f"Style left, {called[name]}" for name in painters),
        "Difference",
        "The robust one is nearer",
        *(f"Content distance, {called[name]}" for name in painters),
    ]
    rows = [_row(judge, one, painters, n) for judge, one in judges.items()]
    table(heads, rows, label="What each judge sees in the painted pictures")


def _row(judge: str, one: Judged, painters: list[str], n: int) -> list[str]:
    gap = one.difference
    points = f"{100 * gap.value:+.1f} points [{100 * gap.low:+.1f}, {100 * gap.high:+.1f}]"
    return [
        title(judge),
        *(strong(one.style[name].per_cent()) for name in painters),
        strong(points, "" if gap.low > 0 or gap.high < 0 else ", no difference seen"),
        f"in {one.better} of {n} pairs",
        *(strong(one.content[name].plain(".2f")) for name in painters),
    ]
