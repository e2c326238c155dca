"""What was measured of style transfer over several pairs of pictures, below what the page paints."""

import streamlit as st

from core.debate.measured import measured as numbers_of
from core.debate.views import reading
from core.style import views
from pages.ui.bars import bars
from pages.ui.stale import say_stale


def measured() -> None:
    """Show what both judges see in what both networks painted, on average."""
    st.markdown("#### Over several pairs")
    found, numbers = views.results("pairs"), numbers_of("nakano")
    if found is None or not numbers:
        st.info(f"Not measured yet. Measure it with: {views.again('pairs')}")
        return
    st.html(bars(numbers))
    st.markdown(reading("nakano", numbers))
    st.caption(
        f"{found['n']} pairs of a photograph and a texture, {found['side']} pixels, {found['steps']} steps; 0 is the"
        f" style itself, 100 % the untouched content. Intervals are over the pairs. {found['date']}."
    )
    say_stale(found, views.again("pairs"))
