"""Our own files for the browser: read once, served under an address that changes when any of them does."""

import gzip
import hashlib
import mimetypes
from dataclasses import dataclass
from pathlib import Path

from starlette.requests import Request
from starlette.responses import Response

from quell.core.errors import Broken

FOLDER = Path(__file__).parent / "static"
SUFFIXES = frozenset({".css", ".js", ".svg", ".webmanifest"})
TYPES = {".js": "text/javascript", ".svg": "image/svg+xml", ".css": "text/css"}
FOR_EVER = "public, max-age=31536000, immutable"
NEEDED = ("quell.css", "icons.svg", "js/desk.js", "vendor/htmx.min.js")


@dataclass(frozen=True)
class StaticFile:
    """One file with its type and its compressed form."""

    body: bytes
    packed: bytes
    media_type: str


class StaticTree:
    """All files of the folder; one digest over the whole tree stands in every address, so modules find each other."""

    def __init__(self, folder: Path = FOLDER) -> None:
        """Read the folder; a missing needed file stops the start and names what to do."""
        self.files = {str(path.relative_to(folder)): _read(path) for path in _walk(folder)}
        for name in NEEDED:
            if name not in self.files:
                raise Broken(f"web/static/{name} is missing: run `make setup`, it fetches the front-end libraries")
        digest = hashlib.sha256()
        for name in sorted(self.files):
            digest.update(name.encode() + b"\0" + hashlib.sha256(self.files[name].body).digest())
        self.digest = digest.hexdigest()[:12]

    def address(self, name: str) -> str:
        """Where a page finds the file; an unknown name is our own bug."""
        if name not in self.files:
            raise Broken(f"no file web/static/{name}")
        return f"/static/{self.digest}/{name}"

    async def serve(self, request: Request) -> Response:
        """Answer one file; an old digest gets today's file, unstored, so that a page from before an update works."""
        found = self.files.get(request.path_params["name"])
        if found is None:
            return Response("no such file", 404, media_type="text/plain")
        fresh = request.path_params["digest"] == self.digest
        headers = {"cache-control": FOR_EVER if fresh else "no-cache", "vary": "accept-encoding"}
        if "gzip" in request.headers.get("accept-encoding", ""):
            return Response(found.packed, headers={**headers, "content-encoding": "gzip"}, media_type=found.media_type)
        return Response(found.body, headers=headers, media_type=found.media_type)


def _walk(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("*") if path.is_file() and path.suffix in SUFFIXES)


def _read(path: Path) -> StaticFile:
    body = path.read_bytes()
    kind = TYPES.get(path.suffix) or mimetypes.guess_type(path.name)[0] or "application/octet-stream"
    return StaticFile(body, gzip.compress(body, 9, mtime=0), kind)
