"""The calm line that stands where CIFAR-10 is missing, and the button that fetches it."""

import time
from concurrent.futures import ThreadPoolExecutor

import streamlit as st

from core.data.sets import DataError, cifar10, cifar10_root
from pages.ui import doors
from pages.ui.escaped import plain

ARCHIVE, ARCHIVE_BYTES = "cifar-10-python.tar.gz", 170_498_071  # what torchvision fetches
_jobs = ThreadPoolExecutor(max_workers=1)  # two sessions must not write the same archive


def offer_cifar10(*, key: str) -> None:
    """Offer the download; once it has ended, run the page again, or say in one sentence why it failed."""
    st.caption("CIFAR-10 is not on this computer; its 10,000 test pictures can be fetched once and then work offline.")
    if not st.button("Download CIFAR-10 (163 MB)", key=key, icon=":material/download:"):
        return
    bar = st.progress(0.0, "Downloading CIFAR-10")
    job, archive = _jobs.submit(cifar10, "test", download=True), cifar10_root() / ARCHIVE
    with doors.outside():
        while not job.done():
            size = archive.stat().st_size if archive.is_file() else 0
            bar.progress(min(size / ARCHIVE_BYTES, 1.0), f"Downloading CIFAR-10: {size / 2**20:.0f} of 163 MB")
            time.sleep(0.2)
    bar.empty()
    try:
        job.result()
    except DataError as error:
        st.error(plain(error))
    else:
        st.rerun()
