"""Charts come after the pictures; whiskers reach from a value to both ends of its interval, on the chart's scale."""

import json

import plotly.graph_objects as go
import pytest
from streamlit.testing.v1 import AppTest

from core.rates import Estimate, Rate
from pages.ui import charts
from pages.ui.charts import of_rates, whiskers


def test_they_reach_to_both_ends():
    found = whiskers([Estimate(0.5, (0.2, 0.6), 9), Estimate(1.0, (0.9, 1.0), 9)], scale=10, color="gray")
    assert found["array"] == pytest.approx([1.0, 0.0]) and found["arrayminus"] == pytest.approx([3.0, 1.0])
    assert found["color"] == "gray" and found["symmetric"] is False


def test_rates_are_in_per_cent_and_plotly_takes_them():
    rate = Rate(3, 10)
    low, high = rate.interval
    drawn = go.Figure().add_scatter(x=[0], y=[30], error_y=of_rates([rate], width=3)).data[0].error_y
    assert (drawn.array[0], drawn.arrayminus[0]) == pytest.approx((100 * high - 30, 30 - 100 * low))
    assert drawn.width == 3


def drawn():
    import plotly.graph_objects as go
    import streamlit as st

    from pages.ui.charts import show_chart

    place = st.columns(2)[1]
    show_chart(go.Figure(), key="first", alt="One.")
    show_chart(go.Figure(), key="second", alt="Two.", name="other", place=place)


def test_the_first_chart_of_a_visitor_waits_for_the_pictures_and_no_other_does(monkeypatch):
    waited = []
    monkeypatch.setattr("time.sleep", waited.append)
    monkeypatch.setattr(charts, "KEPT_BACK_S", 0.25)
    app = AppTest.from_function(drawn).run()
    assert waited.count(0.25) == 1
    app.run()
    assert waited.count(0.25) == 1, "this browser has read plotly"
    AppTest.from_function(drawn).run()
    assert waited.count(0.25) == 2, "that of another visitor has not"


def test_a_chart_has_its_words_and_its_camera_a_name():
    found = [chart.proto for chart in AppTest.from_function(drawn).run().get("plotly_chart")]
    files = {chart.alt: json.loads(chart.config)["toImageButtonOptions"]["filename"] for chart in found}
    assert files == {"One.": "first", "Two.": "other"}
