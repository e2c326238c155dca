"""The frames that do not come with the page: each piece of a trajectory by its name, which says what it contains.

Whoever knows the name has seen the page, or has the pictures. A session holds what its page shows; of a visitor's own
pictures nobody else does, and no browser keeps them.
"""

from starlette.requests import Request
from starlette.responses import Response

from core.files.wire import for_everybody, piece
from pages.ui.sockets import answers

PATH = "_pieces"  # assets/scrubber/film.js asks for it beside the page
KEEP, FORGET = "private, max-age=86400, immutable", "no-store"


async def serve(request: Request) -> Response:
    """Answer with a piece's PNG, and its perturbations behind it."""
    found = piece(request.path_params["name"])
    if found is None:
        return Response(status_code=404, headers={"Cache-Control": FORGET})
    keep = KEEP if for_everybody(found.name) else FORGET
    return Response(found.content, media_type="application/octet-stream", headers={"Cache-Control": keep})


ROUTES = answers(f"{PATH}/{{name}}", serve)
