"""The picker as a person meets it: with and without CIFAR-10, uploads, links good and bad."""

import base64
import io

import numpy as np
import pytest
import torch
from PIL import Image
from streamlit.testing.v1 import AppTest

from core.data import pictures
from core.data.pictures import Picture
from core.data.sets import CIFAR10_CLASSES, DataError
from core.files.render import to_uint8
from pages.ui import picker, store
from pages.ui.desks import DESK
from tests.helpers import images
from tests.pages.tools import files_written

FROG = CIFAR10_CLASSES.index("frog")


def page() -> None:
    import streamlit as st

    from pages.ui.picker import pick_picture

    st.session_state["given"] = pick_picture(key="picture")


@pytest.fixture
def without_cifar10(tmp_path, monkeypatch):
    monkeypatch.setenv("CIFAR10_DIR", str(tmp_path / "none"))
    monkeypatch.setattr(pictures, "GALLERY", tmp_path / "no-gallery.npz")


@pytest.fixture
def with_pictures(tmp_path, monkeypatch):
    """Forty made-up pictures in the place of CIFAR-10, and as many as a gallery."""
    images = np.random.default_rng(1).integers(0, 256, (40, 32, 32, 3), dtype=np.uint8)
    for path in (tmp_path / "test.npz", tmp_path / "gallery.npz"):
        np.savez(path, images=images, labels=np.arange(40) % 10, classes=CIFAR10_CLASSES)
    monkeypatch.setenv("CIFAR10_DIR", str(tmp_path))
    monkeypatch.setattr(pictures, "GALLERY", tmp_path / "gallery.npz")


def opened(link: str | None = None) -> AppTest:
    app = AppTest.from_function(page, default_timeout=60)
    if link is not None:
        app.query_params["picture"] = link
    return ran(app)


def ran(page_or_moved_widget) -> AppTest:
    app = page_or_moved_widget.run()
    assert not app.exception
    return app


def given(app: AppTest) -> pictures.Picture:
    picture = app.session_state["given"]
    assert app.session_state["picture"] == picture.id
    return picture


def address(app: AppTest) -> str | None:
    values = app.query_params.get("picture")
    return values[0] if isinstance(values, list) else values


def candidates(app: AppTest) -> list[str]:
    start = "picture-candidate-"
    return [b.key.removeprefix(start) for b in app.button if b.key and b.key.startswith(start)]


def said(app: AppTest) -> str:
    return " ".join(element.value for element in [*app.caption, *app.error])


def png(side: int = 32) -> bytes:
    buffer = io.BytesIO()
    Image.new("RGB", (side, side), "green").save(buffer, "PNG")
    return buffer.getvalue()


def upload(app: AppTest, data: bytes, name: str = "mine.png") -> AppTest:
    ran(app.segmented_control(key="picture-source").set_value("upload"))
    return ran(app.file_uploader(key="picture-file").set_value((name, data, "image/png")))


def test_without_cifar10_the_cat_is_there_and_the_download_is_offered(without_cifar10):
    app = opened()
    assert given(app).id == address(app) == "photo/chelsea"
    assert app.segmented_control(key="picture-source").options == ["Photograph", "Upload", "Webcam"]
    assert app.button(key="picture-download").label == "Download CIFAR-10 (163 MB)"
    assert "not on this computer" in said(app)
    assert not app.error


def test_a_failed_download_is_one_sentence(without_cifar10, monkeypatch):
    def fails(split: str, download: bool) -> None:
        raise DataError("CIFAR-10 could not be read; check the network.")

    monkeypatch.setattr("pages.ui.download.cifar10", fails)
    app = opened()
    ran(app.button(key="picture-download").click())
    assert [error.value for error in app.error] == ["CIFAR-10 could not be read; check the network."]
    assert given(app).id == "photo/chelsea"


def test_a_download_brings_the_test_set(without_cifar10, monkeypatch, tmp_path):
    def fetches(split: str, download: bool) -> None:
        (tmp_path / "none").mkdir()
        images = np.zeros((10, 32, 32, 3), np.uint8)
        np.savez(tmp_path / "none" / "test.npz", images=images, labels=np.arange(10), classes=CIFAR10_CLASSES)

    monkeypatch.setattr("pages.ui.download.cifar10", fetches)
    app = opened()
    ran(app.button(key="picture-download").click())
    assert "cifar10" in pictures.available()
    assert "picture-download" not in [button.key for button in app.button]


def test_it_opens_with_a_frog_and_eight_candidates(with_pictures):
    app = opened()
    assert given(app).label == FROG
    assert address(app) == given(app).id == "cifar10/6"
    assert candidates(app) == [f"cifar10/{i}" for i in range(8)]
    assert app.number_input(key="picture-number").value == 6


def test_a_candidate_is_a_button_with_its_description(with_pictures):
    app = opened()
    assert app.button(key="picture-candidate-cifar10/3").label.startswith("![cat, CIFAR-10 test set no. 3")
    ran(app.button(key="picture-candidate-cifar10/3").click())
    assert given(app).id == address(app) == "cifar10/3"
    assert app.number_input(key="picture-number").value == 3


@pytest.mark.parametrize(("side", "wide", "is_wide"), [(32, 128, 128), (32, 104, 96), (48, 104, 96), (224, 104, 104)])
def test_pictures_travel_no_larger_than_they_are_shown(side, wide, is_wide):
    """A small one has whole pixels repeated; a large one, of which eight stand in a row, is made smaller."""
    x = images(1, size=side)
    url = picker._url(Picture("made/up", x, None, "noise", "generated"), wide)
    shown = np.asarray(Image.open(io.BytesIO(base64.b64decode(url.partition(",")[2]))))
    assert shown.shape == (is_wide, is_wide, 3)
    if side < wide:
        assert np.array_equal(shown[:: wide // side, :: wide // side], to_uint8(x)[0])


def test_a_number_brings_its_picture_and_its_neighbours(with_pictures):
    app = opened()
    ran(app.number_input(key="picture-number").set_value(21))
    assert given(app).id == "cifar10/21"
    assert candidates(app) == [f"cifar10/{i}" for i in range(16, 24)]


def test_a_number_outside_the_class_shows_all_classes_again(with_pictures):
    app = ran(opened().selectbox(key="picture-class").set_value(9))
    ran(app.number_input(key="picture-number").set_value(21))
    assert app.selectbox(key="picture-class").value is None
    assert "cifar10/21" in candidates(app)


def test_a_click_wins_over_an_address_that_lags_behind(with_pictures):
    """The browser sends the address it shows, which may be older than the click."""
    app = opened()
    app.query_params["picture"] = "cifar10/23"
    ran(app.button(key="picture-candidate-cifar10/3").click())
    assert given(app).id == address(app) == "cifar10/3"


def test_back_past_the_first_address_is_not_undone(with_pictures):
    """Writing the parameter again would put a new entry into the browser's history, and hold the person here."""
    app = opened("cifar10/5")
    del app.query_params["picture"]
    assert given(ran(app)).id == "cifar10/5"
    assert address(app) is None
    ran(app.button(key="picture-candidate-cifar10/5").click())
    assert address(app) == "cifar10/5"


def test_a_class_shows_only_its_pictures_and_takes_one(with_pictures):
    app = opened()
    ran(app.selectbox(key="picture-class").set_value(9))
    assert given(app).label == 9
    assert candidates(app) == [f"cifar10/{i}" for i in (9, 19, 29, 39)]
    before = given(app).id
    ran(app.button(key="picture-another").click())
    assert given(app).label == 9
    assert given(app).id != before


def test_the_sources_change_places(with_pictures):
    app = opened()
    source = app.segmented_control(key="picture-source")
    assert source.options == ["CIFAR-10 test set", "Generated", "Photograph", "Upload", "Webcam"]
    ran(source.set_value("gallery"))
    assert given(app).source == "generated"
    ran(app.segmented_control(key="picture-source").set_value("photo"))
    assert given(app).id == "photo/chelsea"
    ran(app.button(key="picture-candidate-photo/coffee").click())
    assert given(app).id == address(app) == "photo/coffee"
    ran(app.segmented_control(key="picture-source").set_value("webcam"))
    assert given(app).id == "photo/coffee"
    ran(app.segmented_control(key="picture-source").set_value("cifar10"))
    assert given(app).id == pictures.default_id()


def test_a_link_opens_its_picture(with_pictures):
    app = opened("gallery/17")
    assert given(app).id == address(app) == "gallery/17"
    assert app.segmented_control(key="picture-source").value == "gallery"


def test_a_new_link_in_an_open_session_is_followed(with_pictures):
    app = opened()
    ran(app.selectbox(key="picture-class").set_value(9))
    app.query_params["picture"] = "cifar10/23"
    ran(app)
    assert given(app).id == address(app) == "cifar10/23"
    assert app.selectbox(key="picture-class").value is None


@pytest.mark.parametrize(
    "link", ["", "nonsense", "cifar10/99999", "upload/0123456789ab", "photo/<b>", "cifar10/" + "9" * 999]
)
def test_a_bad_link_falls_back_to_the_default(link, with_pictures):
    app = opened(link)
    assert given(app).id == address(app) == pictures.default_id()
    assert len(app.error) == len(ran(app).error) == (1 if link else 0), "it stays until another picture is chosen"
    app.session_state["picture"] = "photo/rocket"
    assert not ran(app).error


def test_a_link_to_cifar10_without_it_says_so_and_shows_the_cat(without_cifar10):
    app = opened("cifar10/5")
    assert given(app).id == "photo/chelsea"
    assert "CIFAR-10 is not in" in said(app)


def test_a_page_may_choose_by_writing_the_session(with_pictures):
    app = opened()
    for id in ("photo/rocket", "cifar10/30", "gallery/2"):
        app.session_state["picture"] = id
        ran(app)
        assert given(app).id == address(app) == id


def test_a_picture_whose_source_has_gone_gives_way_to_the_default(with_pictures, monkeypatch, tmp_path):
    app = opened("cifar10/5")
    monkeypatch.setenv("CIFAR10_DIR", str(tmp_path / "gone"))
    monkeypatch.setattr(pictures, "GALLERY", tmp_path / "gone.npz")
    assert given(ran(app)).id == "photo/chelsea"


def test_an_upload_is_shown_and_kept_out_of_the_address(with_pictures):
    app = upload(opened("cifar10/5"), png(64))
    assert given(app).source == "uploaded"
    assert address(app) is None
    assert "reduced to 32 × 32" in said(app)
    assert "a link to this page cannot show it" in said(app)
    assert given(ran(app)).source == "uploaded"
    ran(app.segmented_control(key="picture-source").set_value("photo"))
    assert address(app) == "photo/chelsea"
    ran(app.segmented_control(key="picture-source").set_value("upload"))
    assert given(app).source == "uploaded"


def test_what_is_on_an_upload_can_be_said_and_the_square_moved(with_pictures):
    """Each choice is another picture, so that nothing computed for one is shown for another."""
    buffer = io.BytesIO()
    wide = np.zeros((32, 64, 3), np.uint8)
    wide[:, 32:] = 255
    Image.fromarray(wide).save(buffer, "PNG")
    app = upload(opened("cifar10/5"), buffer.getvalue())
    first = given(app)
    assert first.label is None
    ran(app.selectbox(key="picture-label").set_value(4))
    labelled = given(app)
    assert (labelled.label, torch.equal(labelled.x, first.x)) == (4, True)
    ran(app.slider(key="picture-cut").set_value(100))
    moved = given(app)
    assert moved.label == 4
    assert float(moved.x.min()) == 1 > float(first.x.mean())
    assert len({first.id, labelled.id, moved.id}) == 3
    assert given(ran(app)).id == moved.id


@pytest.mark.parametrize("data", [b"", b"a shopping list", png()[:40]], ids=["empty", "text", "cut short"])
def test_a_bad_upload_is_one_sentence_and_the_picture_stays(data, with_pictures):
    app = upload(opened("cifar10/5"), data)
    assert given(app).id == address(app) == "cifar10/5"
    assert len(app.error) == len(ran(app).error) == 1, "it stays until another picture is chosen"
    app.session_state["picture"] = "photo/rocket"
    assert not ran(app).error


def test_an_upload_is_written_nowhere_and_nothing_of_it_outlives_its_session(with_pictures):
    app = opened()
    encoded, shared = picker._once.cache_info().currsize, set(store.results()._items)
    with files_written() as written:
        upload(app, png())
    assert given(app).source == "uploaded" and written == []
    assert picker._once.cache_info().currsize == encoded
    assert set(store.results()._items) == shared
    assert [key for key in app.session_state[DESK].own._items if given(app).id in key]


def test_a_file_that_is_written_is_noticed(tmp_path):
    with files_written() as written:
        (tmp_path / "leak").write_bytes(png())
    assert written == [str(tmp_path / "leak")]


def test_the_photograph_of_another_session_is_not_ours(with_pictures):
    theirs = given(upload(opened(), png())).id
    assert given(opened(theirs)).id == pictures.default_id()


def test_cifar10_itself(cifar):
    app = opened()
    assert given(app).label == FROG
    assert len(candidates(app)) == 8
    assert app.number_input(key="picture-number").max == 9999


def test_what_is_on_an_upload_is_said_anew_in_another_world():
    """The tenth of CIFAR-10's classes is none of the four of the planted world."""

    def page() -> None:
        import io

        import numpy as np
        import streamlit as st
        from PIL import Image

        from core.data import pictures
        from pages.ui import world

        buffer = io.BytesIO()
        Image.fromarray(np.zeros((32, 32, 3), np.uint8)).save(buffer, "PNG")
        st.session_state["picture-bytes"] = (buffer.getvalue(), "a.png")
        st.session_state["picture-upload"] = pictures.from_upload(buffer.getvalue(), "a.png", label=9)
        world.enter("planted")

    app = AppTest.from_function(page).run()
    assert not app.exception
    assert app.session_state["picture-upload"].label is None
