"""The frames that do not come with the page: each piece of a trajectory by its name, which says what it contains.

Whoever knows the name has seen the page, or has the pictures. A session holds what its page shows.
"""

from starlette.requests import Request
from starlette.responses import Response

from core.files.wire import piece
from pages.ui.sockets import answers

PATH = "_pieces"  # assets/scrubber/film.js asks for it beside the page
KEEP = "private, max-age=86400, immutable"


async def serve(request: Request) -> Response:
    """Answer with a piece's PNG, and its perturbations behind it."""
    found = piece(request.path_params["name"])
    if found is None:
        return Response(status_code=404, headers={"Cache-Control": "no-store"})
    return Response(found.content, media_type="application/octet-stream", headers={"Cache-Control": KEEP})


ROUTES = answers(f"{PATH}/{{name}}", serve)
