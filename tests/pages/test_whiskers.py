"""Whiskers reach from a value to both ends of its interval, on the chart's scale."""

import plotly.graph_objects as go
import pytest

from core.rates import Estimate, Rate
from pages.ui.whiskers import of_rates, whiskers


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
