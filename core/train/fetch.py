"""Models that lie elsewhere: fetched, verified, read without running anything, and kept as checkpoints of this project.

`checkpoints/fetch.toml` says where each lies, its size, licence and SHA-256. A download that was cut off goes on where
it stopped; what does not have the hash is thrown away.
"""

import hashlib
import http.client
import logging
import urllib.error
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from core.files import toml
from core.models import arrivals, checkpoints
from core.problems import InputError, UserError

log = logging.getLogger(__name__)
DECLARATIONS = checkpoints.FOLDER / "fetch.toml"
ATTEMPTS = 5
BLOCK = 2**18
TIMEOUT_S = 30.0
SLACK = 1.1  # a file may be that much larger than its rounded size says


class FetchError(UserError):
    """A download that did not succeed; the message says why and what to do."""


@dataclass(frozen=True)
class Source:
    """A model that lies elsewhere.

    Args:
        name: What it is called here.
        title: For people.
        arch: Its architecture.
        world: In which it lives.
        url: Where it lies.
        mb: Its size in MB, as its publisher rounds it.
        sha256: All 64 hex digits, or the first few where only those are known, or "".
        licence: Under which it is published.
        mean: What it subtracts from pixels in [0, 1].
        std: What it divides them by.
    """

    name: str
    title: str
    arch: str
    world: str
    url: str
    mb: float
    licence: str
    sha256: str = ""
    mean: tuple[float, ...] = (0.0, 0.0, 0.0)
    std: tuple[float, ...] = (1.0, 1.0, 1.0)


def sources(path: Path = DECLARATIONS) -> dict[str, Source]:
    """Read what can be fetched.

    Raises:
        InputError: If an entry lacks a field or has one too many.
    """
    found = {}
    for name, fields in toml.read(path).items():
        lists = {key: tuple(value) for key, value in fields.items() if isinstance(value, list)}
        try:
            found[name] = Source(name, **{**fields, **lists})
        except TypeError as error:
            raise InputError(f"{path.name}, {name}: {error}") from error
    return found


class _Careful(urllib.request.HTTPRedirectHandler):
    """Follow redirections, but never from an encrypted address to an open one."""

    def redirect_request(self, req: Any, fp: Any, code: int, msg: str, headers: Any, newurl: str) -> Any:
        if req.full_url.startswith("https:") and not newurl.startswith("https:"):
            raise FetchError(f"{urlsplit(req.full_url).netloc} sends one on to {newurl[:80]}, which is not encrypted")
        return super().redirect_request(req, fp, code, msg, headers, newurl)


def download(source: Source, folder: Path, *, on_progress: Callable[[int], None] | None = None) -> Path:
    """Fetch a file, go on with what is there of it, and return it once it has the hash.

    Args:
        source: Which.
        folder: Where it goes; what is not complete has the ending ".part".
        on_progress: Called with the bytes that are there.

    Raises:
        FetchError: If it cannot be had, is cut off again and again, or is not the file that it should be.
    """
    path = folder / (source.name + (Path(urlsplit(source.url).path).suffix or ".pt"))
    if path.is_file() and _fits(_digest(path), source.sha256):
        return path
    folder.mkdir(parents=True, exist_ok=True)
    part = path.with_suffix(path.suffix + ".part")
    for attempt in range(1, ATTEMPTS + 1):
        before = part.stat().st_size if part.is_file() else 0
        problem = _once(source, part, on_progress)
        if problem is None:
            break
        after = part.stat().st_size if part.is_file() else 0
        log.info("%s: %s; %.1f MB are here", source.name, problem, after / 2**20)
        if attempt == ATTEMPTS or after <= before:
            raise FetchError(
                f"{source.name} was cut off after {after / 2**20:.1f} of about {source.mb:g} MB ({problem}); the same"
                " command goes on from there"
            )
    digest = _digest(part)
    if not _fits(digest, source.sha256):
        part.unlink()
        raise FetchError(
            f"what {urlsplit(source.url).netloc} sent for {source.name} is not that file: its SHA-256 is {digest[:16]}…"
            f" and should be {source.sha256[:16]}…; it was deleted"
        )
    part.replace(path)
    return path


def _once(source: Source, part: Path, on_progress: Callable[[int], None] | None) -> str | None:
    """Ask once, and write what comes. Returns what went wrong on the way, None if all came."""
    have = part.stat().st_size if part.is_file() else 0
    request = urllib.request.Request(source.url, headers={"Range": f"bytes={have}-"} if have else {})
    most = int(source.mb * SLACK * 10**6) + 2**20
    try:
        with urllib.request.build_opener(_Careful).open(request, timeout=TIMEOUT_S) as answer:
            if answer.headers.get_content_type() in ("text/html", "application/xhtml+xml"):
                raise FetchError(
                    f"{urlsplit(answer.url).netloc} sent a web page instead of {source.name}: the file has moved, or a"
                    " login is needed"
                )
            goes_on = have > 0 and answer.status == http.client.PARTIAL_CONTENT
            total = int(answer.headers.get("Content-Length") or 0) + (have if goes_on else 0)
            if total > most:
                raise FetchError(f"{source.name} would have {total / 10**6:,.0f} MB, and should have {source.mb:g}")
            with part.open("ab" if goes_on else "wb") as file:
                while block := answer.read(BLOCK):
                    file.write(block)
                    if file.tell() > most:
                        raise FetchError(f"{source.name} is longer than the {source.mb:g} MB that it should have")
                    if on_progress is not None:
                        on_progress(file.tell())
                return f"the connection ended at {file.tell():,} of {total:,} bytes" if file.tell() < total else None
    except urllib.error.HTTPError as error:
        if error.code == http.client.REQUESTED_RANGE_NOT_SATISFIABLE:  # all of it is here, or more than all
            return None
        raise FetchError(
            f"{urlsplit(source.url).netloc} answers {error.code} ({error.reason}) for {source.name}"
        ) from error
    except (urllib.error.URLError, http.client.HTTPException, OSError) as error:
        return str(getattr(error, "reason", "") or error) or type(error).__name__


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _fits(digest: str, known: str) -> bool:
    return digest.startswith(known.lower())


def fetch(source: Source, folder: Path, *, on_progress: Callable[[int], None] | None = None) -> tuple[Path, list[str]]:
    """Fetch a model and keep it; return its checkpoint, and what is to be said of it.

    Raises:
        FetchError: As `download`.
        InputError: If it is no model after all.
    """
    path = download(source, folder, on_progress=on_progress)
    said = [] if len(source.sha256) == 64 else [_unsure(source, path)]
    arrived = arrivals.receive(
        path, source.arch, world=source.world, title=source.title, mean=source.mean, std=source.std
    )
    said += [*arrived.notes, *(finding.says for finding in arrived.findings), f"Licence: {source.licence}."]
    return arrivals.keep(arrived, source.name, replace=True), said


def _unsure(source: Source, path: Path) -> str:
    known = f"only the first {len(source.sha256)} digits of its SHA-256 are" if source.sha256 else "no SHA-256 of it is"
    return f"{known[0].upper()}{known[1:]} known; what came has {_digest(path)}."
