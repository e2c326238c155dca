"""The picture that a session has chosen, in the session and in the address; `pages.ui.picker` shows it.

The chosen id lives in `st.session_state[key]`, where a page's callback may set it too, and in the address, as
`?picture=cifar10/93`. Uploads live in the session only: not on disk, not in a cache, not in the address.
"""

import streamlit as st

from core import worlds
from core.data import pictures
from core.data.decode import PictureError
from core.data.pictures import Picture
from pages.ui.world import current

PARAMETER = "picture"  # in the address


def picture(key: str) -> Picture:
    """Return the picture: follow the address if it says something new, else stay with what this session chose."""
    asked = st.query_params.get(PARAMETER)
    if asked and asked != st.session_state.get(f"{key}-address", (None, None))[1]:
        choose(key, asked)
        for part in ("source", "class"):
            st.session_state.pop(f"{key}-{part}", None)
    try:
        return _get(key, st.session_state.get(key) or first())
    except PictureError:  # its source has gone since, or it is of another world
        return pictures.get(first())


def first() -> str:
    """Return the picture with which the world in sight opens."""
    return worlds.first_picture(current())


def _get(key: str, id: str) -> Picture:
    uploaded, world = st.session_state.get(f"{key}-upload"), current()
    if uploaded is not None and uploaded.id == id and uploaded.x.shape[-1] == world.side:
        return uploaded
    if id.partition("/")[0] not in (*world.sources, "upload"):
        raise PictureError(f"There is no such picture in {world.title}.")
    return pictures.get(id)


def refusal(key: str, picture: Picture) -> str:
    """Return why what was asked for is not shown: as long as the picture stays that was shown in its place."""
    why: str = st.session_state.get(f"{key}-error", "")
    beside = st.session_state.get(f"{key}-error-beside", picture.id)
    if not why or beside != picture.id:
        for name in ("error", "error-beside"):
            st.session_state.pop(f"{key}-{name}", None)
        return ""
    st.session_state[f"{key}-error-beside"] = picture.id
    return why


def choose(key: str, id: str) -> None:
    """Choose a picture, or note why there is none of that name."""
    st.session_state.pop(f"{key}-error", None)
    try:
        st.session_state[key] = _get(key, id).id
    except PictureError as error:
        st.session_state[f"{key}-error"] = str(error)
    # Whatever the address says by now is older than this choice.
    st.session_state[f"{key}-address"] = (st.context.url, st.query_params.get(PARAMETER))


def write_address(key: str, picture: Picture) -> None:
    """Have the address say which picture is in sight, but for an upload, which no link can show."""
    st.session_state[key] = picture.id
    asked, shown = st.query_params.get(PARAMETER), None if picture.source == "uploaded" else picture.id
    address = (st.context.url, shown)
    # Without a parameter where this page wrote one, the person pressed Back: writing again would hold them here.
    went_back = asked is None and st.session_state.get(f"{key}-address") == address
    if shown is None:
        st.query_params.pop(PARAMETER, None)
    elif asked != shown and not went_back:
        st.query_params[PARAMETER] = shown
    st.session_state[f"{key}-address"] = address
