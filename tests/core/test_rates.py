"""A measured number never goes without its n and its interval."""

import math
import statistics

import pytest

from core.rates import STUDENT, Estimate, Rate, student

# Rates


@pytest.mark.parametrize(
    ("hits", "n", "low", "high"),
    [
        # As scipy's binomtest(hits, n).proportion_ci(method="wilson") has them.
        (0, 10, 0.0, 0.277533),
        (5, 10, 0.236593, 0.763407),
        (10, 10, 0.722467, 1.0),
        (1, 1, 0.206549, 1.0),
        (90, 100, 0.825634, 0.944771),
        (1420, 2000, 0.689726, 0.729469),
    ],
)
def test_the_interval_is_wilsons(hits, n, low, high):
    assert Rate(hits, n).interval == pytest.approx((low, high), abs=2e-6)


@pytest.mark.parametrize("hits", range(0, 51, 5))
def test_the_ends_of_the_interval_solve_wilsons_equation(hits):
    """(p - q)² = z² q (1 - q) / n at both ends q: the definition that the closed form comes from."""
    n, p = 50, hits / 50
    for q in Rate(hits, n).interval:
        assert (p - q) ** 2 == pytest.approx(1.959964**2 * q * (1 - q) / n, abs=1e-12)


def test_a_rate_of_nothing_is_unknown():
    assert math.isnan(Rate(0, 0).value)
    assert Rate(0, 0).interval == (0, 1)


def test_a_rate_is_written_with_interval_and_n():
    assert str(Rate(1420, 2000)) == "71.0 % [69.0, 72.9] (n = 2,000)"


def test_a_rate_is_an_estimate_that_the_counts_decide():
    rate = Rate(3, 10)
    assert rate == Rate.from_json(rate.as_json()) != Rate(6, 20)
    assert list(rate.as_json(2)) == ["value", "interval", "hits", "n"]
    assert Estimate.from_json(rate.as_json()) == Estimate(0.3, rate.interval, 10)


# Estimates


@pytest.mark.parametrize(("n", "quantile"), [(2, 12.706), (5, 2.776), (8, 2.365), (9, 2.306), (14, 2.160), (64, 1.998)])
def test_a_mean_has_students_interval(n, quantile):
    """mean +- t s / sqrt(n), with the quantiles of any table."""
    values = [float(k * k) for k in range(n)]
    half = quantile * statistics.stdev(values) / math.sqrt(n)
    found = Estimate.of(values)
    assert (found.value, found.n) == (pytest.approx(statistics.mean(values)), n)
    assert found.interval == pytest.approx((found.value - half, found.value + half), rel=1e-3)


def test_one_value_says_nothing_of_the_mean():
    assert Estimate.of([0.5]) == Estimate(0.5, (-math.inf, math.inf), 1)


@pytest.mark.parametrize("freedom", range(3, len(STUDENT) + 1))
def test_the_expansion_meets_the_table(freedom):
    assert student(freedom) == pytest.approx(STUDENT[freedom - 1], rel=0.01)


def test_only_what_is_apart_is_told_apart():
    one, other, touching = (Estimate(v, (v - 0.1, v + 0.1), 9) for v in (0.2, 0.5, 0.375))
    assert other.above(one) and not one.above(other)
    assert one.apart(other) and other.apart(one)
    assert not touching.apart(one) and not touching.apart(other)


@pytest.mark.parametrize(
    ("estimate", "plain", "per_cent"),
    [
        (Estimate(0.41234, (0.40321, 0.42111), 5), "0.412 [0.403, 0.421]", "41.2 % [40.3, 42.1]"),
        (Estimate(0.99, (0.95, 1.03), 5), "0.99 [0.95, 1.03]", "99.0 % [95.0, 100.0]"),
        (Estimate(0.2, (0.2, 0.2), 5), "0.2", "20.0 % [20.0, 20.0]"),
    ],
    ids=["both ends", "a fraction is at most one", "nothing varies"],
)
def test_it_is_written_with_its_interval(estimate, plain, per_cent):
    assert (estimate.plain(), estimate.per_cent()) == (plain, per_cent)
    assert str(estimate) == f"{plain} (n = 5)"


def test_the_rest_has_the_ends_the_other_way_round():
    rest = Estimate(0.3, (0.2, 0.35), 7).complement()
    assert (rest.value, *rest.interval, rest.n) == pytest.approx((0.7, 0.65, 0.8, 7))


@pytest.mark.parametrize(
    "found",
    [
        {"value": 0.5, "interval": [0.25, 1], "n": 3},
        {"mean": 0.5, "interval": [0.25, 1], "n": 3},
        {"value": 0.5, "interval": [0.25, 1], "values": [0, 0.5, 1]},
    ],
    ids=["value", "mean", "values themselves"],
)
def test_it_reads_what_results_files_say(found):
    read = Estimate.from_json(found)
    assert read == Estimate(0.5, (0.25, 1.0), 3)
    assert Estimate.from_json(read.as_json()) == read
