"""Two replicas behind Debian's nginx with the configuration that ships, under a path; one of them is killed."""

import json
import shutil
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import ExitStack
from email.message import Message
from http.cookiejar import CookieJar
from pathlib import Path
from types import SimpleNamespace

import pytest

from tests.app_process import ROOT, free_port, serving

pytestmark = pytest.mark.browser
WRAP = """
worker_processes 1;
pid {folder}/nginx.pid;
error_log {folder}/error.log;
events {{ worker_connections 256; }}
http {{
    access_log {folder}/access.log;
    client_body_temp_path {folder}/body; proxy_temp_path {folder}/proxy; fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi; scgi_temp_path {folder}/scgi;
    log_format upstream '$upstream_addr';
    access_log {folder}/upstream.log upstream;
    {site}
}}
"""


@pytest.fixture(scope="module")
def hosted(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SimpleNamespace]:
    """The address of the proxy, a function that kills a replica by its port, and the proxy's log of replicas."""
    nginx = shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin")
    if nginx is None:
        pytest.skip("no nginx here; on Debian: apt install nginx-light")
    folder: Path = tmp_path_factory.mktemp("nginx")
    with ExitStack() as stack:
        replicas = {}
        for name in ("a", "b"):
            base = {"STREAMLIT_SERVER_BASE_URL_PATH": "frog", "ROBUST_FROG_REPLICA": name.upper()}
            own = ExitStack()
            url = own.enter_context(serving(folder / f"{name}.log", at="frog/", **base))
            stack.callback(own.close)
            replicas[url.rpartition(":")[2].partition("/")[0]] = own
        site, port = (ROOT / "deploy" / "nginx.conf").read_text("utf-8"), free_port()
        for shipped, ours in zip(("8501", "8502"), replicas, strict=True):
            site = site.replace(f"127.0.0.1:{shipped}", f"127.0.0.1:{ours}")
        site = site.replace("127.0.0.1:8080", f"127.0.0.1:{port}")
        conf = folder / "nginx.conf"
        conf.write_text(WRAP.format(folder=folder, site=site))
        proxy = subprocess.Popen([nginx, "-c", str(conf), "-p", str(folder), "-g", "daemon off;"])
        stack.callback(proxy.wait, 10)
        stack.callback(proxy.terminate)
        url = f"http://127.0.0.1:{port}/frog/"
        until = time.monotonic() + 20
        while time.monotonic() < until:
            try:
                urllib.request.urlopen(url, timeout=5).close()
                break
            except OSError:
                time.sleep(0.1)
        yield SimpleNamespace(url=url, kill=lambda at: replicas[at].close(), log=folder / "upstream.log")


def test_phones_without_a_cookie_come_to_the_replica_where_their_room_is(hosted, browser):
    connect = pytest.importorskip("websockets.sync.client").connect
    codes = set()
    for _ in range(12):  # lecturers, until there is one on each replica
        context = browser.new_context()
        page = context.new_page()
        page.set_default_timeout(90_000)
        page.goto(f"{hosted.url}gaussian?lecture=paper&step=17")
        page.locator(".bar .room").click()
        page.locator(".open").click()
        page.locator(".opened .code").wait_for()
        code = page.locator(".opened .code").inner_text()
        page.locator(".shut").click()
        assert f"{hosted.url}join?room={code}" == page.locator(".opened .address").text_content()
        with ExitStack() as phones:
            for _ in range(4):
                phone = phones.enter_context(connect(f"{hosted.url.replace('http', 'ws')}_room/{code.lower()}?phone="))
                assert json.loads(phone.recv(timeout=30))["is"] == "welcome"
            page.locator(".ask .count", has_text="0 of 4 phones voted").wait_for()
        with urllib.request.urlopen(f"{hosted.url}join?room={code}", timeout=30) as answer:
            assert b"The code on the screen" in answer.read()
        context.close()
        codes.add(code[0])
        if len(codes) == 2:
            break
    assert codes == {"A", "B"}, "twelve lecturers on one replica: one time in two thousand"
    size = -1  # web sockets are logged when they close: leave the log in peace to the next test
    while size != (size := hosted.log.stat().st_size):
        time.sleep(2)


def answered(url: str, **headers: str) -> Message:
    names = {name.replace("_", "-"): value for name, value in headers.items()}
    with urllib.request.urlopen(urllib.request.Request(url, headers=names), timeout=30) as answer:
        return answer.headers


@pytest.mark.parametrize(
    ("headers", "same_site"),
    [
        ({}, "Lax"),
        ({"X_Forwarded_Proto": "https", "Sec_Fetch_Dest": "document"}, "Lax"),
        ({"X_Forwarded_Proto": "http", "Sec_Fetch_Dest": "iframe"}, "Lax"),
        ({"X_Forwarded_Proto": "https", "Sec_Fetch_Dest": "iframe"}, "None; Secure; Partitioned"),
    ],
)
def test_the_cookie_is_for_the_frame_of_another_site_only_over_https_and_in_one(headers, same_site, hosted):
    found = answered(hosted.url, **headers)
    assert found["Set-Cookie"].endswith(f"; Path=/frog/; HttpOnly; SameSite={same_site}")
    assert found["Content-Security-Policy"] == "frame-ancestors 'self'"
    assert answered(hosted.url, Cookie="frog=a", **headers)["Set-Cookie"] is None, "it would be another one"


def test_a_visitor_stays_on_a_replica_and_outlives_it(hosted, browser):
    visitor = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(CookieJar()))
    before = len(hosted.log.read_text().splitlines())
    for _ in range(6):
        with visitor.open(hosted.url, timeout=30) as answer:
            assert answer.status == 200
    placed = hosted.log.read_text().splitlines()[before:]
    assert len(set(placed)) == 1, "the cookie did not keep the visitor on one replica"

    context = browser.new_context()
    page = context.new_page()
    page.set_default_timeout(90_000)
    page.goto(f"{hosted.url}gaussian?eps=4.0")
    slider = page.get_by_role("heading", name="Gaussian", exact=True)
    slider.wait_for()
    served = hosted.log.read_text().splitlines()[-1].rpartition(":")[2].split(",")[0]
    hosted.kill(served)
    page.reload()
    slider.wait_for()
    assert "eps=4" in page.url
    with visitor.open(hosted.url, timeout=60) as answer:
        assert answer.status == 200
    context.close()


def test_metrics_are_not_for_everybody(hosted):
    with pytest.raises(urllib.error.HTTPError, match="404"):
        urllib.request.urlopen(f"{hosted.url}_stcore/metrics", timeout=30)
