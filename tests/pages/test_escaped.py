"""What is not ours is shown as it stands: names from files in HTML, and what an address says in Markdown."""

import pytest
from streamlit.testing.v1 import AppTest

from pages.ui.escaped import Html, html_of, plain
from tests.pages.tools import html, ran, rows

TAG = "<img src=x onerror=alert(1)>"


def test_html_stays_what_it_is_and_all_else_is_escaped():
    made = html_of("a & ", Html("<b>b</b>"), f'"{TAG}')
    assert made == "a &amp; <b>b</b>&quot;&lt;img src=x onerror=alert(1)&gt;"
    assert isinstance(html_of("a"), Html)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("![x](https://a.b/c)", "!\\[x\\](https:\u2060//a.b/c)"),
        ("$x^2$", "\\$x^2\\$"),
        (":red[x] :smile:", "\\:red\\[x\\] \\:smile:"),
        ("**x** _y_ `z`", "\\*\\*x\\*\\* \\_y\\_ \\`z\\`"),
        ("# x\n\n- y", "\\# x - y"),
        ("www.a.b &amp; me@a.b", "www\u2060.a.b \\&amp; me@\u2060a.b"),
        ("one of: a, b; 1.5 (2 %), CIFAR10_DIR", "one of: a, b; 1.5 (2 %), CIFAR10_DIR"),
    ],
)
def test_markdown_is_shown_as_it_stands(text, shown):
    assert plain(text) == shown


def test_a_table_shows_texts_as_they_stand():
    def page(tag: str) -> None:
        from pages.ui.tables import strong, table

        table([tag], [[tag, tag, strong(f"1 % [0, {tag}]")]], label=f'"{tag}')

    app = ran(AppTest.from_function(page, args=(TAG,)))
    assert TAG not in html(app) and rows(app)[1][-1].startswith("<b>1 %</b>")
    assert 'aria-label="&quot;&lt;img' in html(app)


def test_what_an_address_says_is_no_markdown():
    def page() -> None:
        from pages.lectures import bar
        from pages.ui import world

        world.follow()
        bar.stands_back("home")

    app = AppTest.from_function(page)
    for name in ("world", "lecture"):
        app.query_params[name] = "![x](//y) $z$"
    ran(app)
    for text in (app.warning[0].value, app.error[0].value):
        assert "!\\[x\\](//y) \\$z\\$" in text
