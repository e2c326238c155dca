"""Downloads, from a server on this machine that misbehaves in every way that servers do."""

import hashlib
import http.server
import threading
from collections.abc import Iterator
from typing import ClassVar

import pytest

from core.models import checkpoints
from core.train import fetch
from core.train.fetch import FetchError, Source, download

CONTENT = bytes(range(250)) * 12_000
DIGEST = hashlib.sha256(CONTENT).hexdigest()


class Server(http.server.BaseHTTPRequestHandler):
    """Serves CONTENT under several addresses; `cuts` says after how many bytes a connection ends."""

    cuts: ClassVar[list[int]] = []
    asked: ClassVar[list[str | None]] = []

    def do_GET(self) -> None:
        self.asked.append(self.headers.get("Range"))
        match self.path:
            case "/moved.pt":
                self.send_response(302)
                self.send_header("Location", "/weights.pt")
                self.end_headers()
            case "/page.pt":
                self.answer(b"<html>log in</html>", "text/html; charset=utf-8")
            case "/hidden-page.pt":
                self.answer(b"<html>log in</html>", "application/octet-stream")
            case "/huge.pt":
                self.send_response(200)
                self.send_header("Content-Length", str(10**12))
                self.end_headers()
            case "/endless.pt":
                self.send_response(200)
                self.end_headers()
                for _ in range(200):
                    self.wfile.write(bytes(10**5))
            case "/loop.pt":
                self.send_response(302)
                self.send_header("Location", "/loop.pt")
                self.end_headers()
            case "/local.pt":
                self.send_response(302)
                self.send_header("Location", "file:///etc/passwd")
                self.end_headers()
            case "/weights.pt" | "/no-ranges.pt":
                self.answer(CONTENT, "application/octet-stream", ranges=self.path == "/weights.pt")
            case _:
                self.send_error(404, "Not Found")

    def answer(self, data: bytes, kind: str, *, ranges: bool = False) -> None:
        asked = self.headers.get("Range")
        begin = int(asked.removeprefix("bytes=").removesuffix("-")) if asked and ranges else 0
        if begin >= len(data):
            self.send_error(416)
            return
        self.send_response(206 if begin else 200)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(data) - begin))
        self.end_headers()
        end = begin + self.cuts.pop(0) if self.cuts else len(data)
        self.wfile.write(data[begin:end])

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture
def server() -> Iterator[str]:
    """The address of a server of one's own."""
    Server.cuts, Server.asked = [], []
    serving = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Server)
    thread = threading.Thread(target=serving.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{serving.server_port}"
    serving.shutdown()
    serving.server_close()
    thread.join()


def source(url: str, **more: object) -> Source:
    return Source(
        **{
            "name": "net",
            "title": "Net",
            "arch": "resnet9",
            "world": "cifar10",
            "url": url,
            "mb": 3.0,
            "licence": "MIT",
        }
        | {"sha256": DIGEST}
        | more
    )


def test_a_file_comes_whole_and_is_not_fetched_twice(server, tmp_path):
    seen: list[int] = []
    path = download(source(f"{server}/weights.pt"), tmp_path, on_progress=seen.append)
    assert path.read_bytes() == CONTENT and seen[-1] == len(CONTENT)
    assert download(source(f"{server}/weights.pt"), tmp_path) == path
    assert len(Server.asked) == 1


def test_a_redirection_is_followed(server, tmp_path):
    assert download(source(f"{server}/moved.pt"), tmp_path).read_bytes() == CONTENT


def test_a_cut_connection_goes_on_where_it_ended(server, tmp_path):
    """Two cuts, three requests, each from the byte where the last one ended."""
    Server.cuts[:] = [1_000_000, 500_000]
    assert download(source(f"{server}/weights.pt"), tmp_path).read_bytes() == CONTENT
    assert Server.asked == [None, "bytes=1000000-", "bytes=1500000-"]


def test_what_another_run_left_is_gone_on_with(server, tmp_path):
    (tmp_path / "net.pt.part").write_bytes(CONTENT[:2_000_000])
    assert download(source(f"{server}/weights.pt"), tmp_path).read_bytes() == CONTENT
    assert Server.asked == ["bytes=2000000-"]


def test_a_server_without_ranges_sends_all_anew(server, tmp_path):
    (tmp_path / "net.pt.part").write_bytes(b"x" * 2_000_000)
    assert download(source(f"{server}/no-ranges.pt"), tmp_path).read_bytes() == CONTENT


def test_cut_off_again_and_again_says_how_to_go_on(server, tmp_path):
    Server.cuts[:] = [100_000] * 20
    with pytest.raises(FetchError, match=r"cut off after 0\.5 of about 3 MB .* goes on from there"):
        download(source(f"{server}/weights.pt"), tmp_path)
    Server.cuts.clear()
    assert download(source(f"{server}/weights.pt"), tmp_path).read_bytes() == CONTENT


@pytest.mark.parametrize("known", ["0" * 64, "ffffffff"])
def test_a_wrong_hash_is_thrown_away(server, tmp_path, known):
    with pytest.raises(FetchError, match="is not that file: its SHA-256 is"):
        download(source(f"{server}/weights.pt", sha256=known), tmp_path)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("page", "says"),
    [
        ("page.pt", "a web page instead of net"),
        ("hidden-page.pt", "is not that file"),
        ("nothing.pt", "answers 404"),
        ("huge.pt", "would have 1,000,000 MB"),
        ("endless.pt", "longer than the 3 MB"),
        ("loop.pt", "answers 302"),
        ("local.pt", "answers 302"),
    ],
)
def test_whatever_else_a_server_says_is_one_sentence(server, tmp_path, page, says):
    with pytest.raises(FetchError, match=says):
        download(source(f"{server}/{page}"), tmp_path)


def test_no_server_at_all(tmp_path):
    with pytest.raises(FetchError, match=r"cut off after 0\.0"):
        download(source("http://127.0.0.1:9/weights.pt"), tmp_path)


def test_an_encrypted_address_never_leads_to_an_open_one():
    request = fetch.urllib.request.Request("https://example.org/a.pt")
    with pytest.raises(FetchError, match="not encrypted"):
        fetch._Careful().redirect_request(request, None, 302, "", {}, "http://example.org/a.pt")


def test_a_fetched_model_is_kept_as_a_checkpoint(server, tmp_path, checkpoint, monkeypatch):
    """From the file of a stranger to a model that every page offers, and what is known of its hash is said."""
    checkpoint("mobilenet-standard")
    data = checkpoints.path_of("mobilenet-standard").read_bytes()
    monkeypatch.setitem(Server.answer.__globals__, "CONTENT", data)
    monkeypatch.setattr(checkpoints, "FOLDER", tmp_path / "checkpoints")
    digest = hashlib.sha256(data).hexdigest()
    norm = {"mean": (0.4914, 0.4822, 0.4465), "std": (0.2470, 0.2435, 0.2616)}
    wanted = source(f"{server}/weights.pt", arch="mobilenet", sha256=digest[:8], title="Theirs", **norm)
    path, said = fetch.fetch(wanted, tmp_path)
    assert checkpoints.read(path)[1].title == "Theirs"
    assert said[0] == f"Only the first 8 digits of its SHA-256 are known; what came has {digest}."
    assert "Licence: MIT." in said


def test_every_entry_is_complete():
    """URL, size, licence and what is known of the hash; nothing is invented: all digits, eight or none."""
    known = fetch.sources()
    assert {"resnet50-imagenet", "resnet50-imagenet-l2", "resnet50-imagenet-linf"} <= known.keys()
    for entry in known.values():
        assert entry.url.startswith("https://") and entry.mb > 1 and entry.licence
        assert len(entry.sha256) in (0, 8, 64)
        assert entry.world in ("cifar10", "imagenet")
