"""Reading a form: bounded in bytes and parts, text cleaned of null characters, files stripped of paths."""

import mimetypes
from dataclasses import dataclass, field
from pathlib import PurePosixPath, PureWindowsPath

from starlette.datastructures import UploadFile
from starlette.formparsers import MultiPartException
from starlette.requests import Request

from quell.core.errors import Refused
from quell.core.incoming import Attachment

FORM_BYTES_MAX = 1024 * 1024
FILES_BYTES_MAX = 25 * 1024 * 1024
FILES_MAX = 20
FIELDS_MAX = 300
# The forms that carry files; every other form is small.
WITH_FILES = frozenset({"/portal/reports", "/setup/company"})
TEXT_CHARACTERS_MAX = 100_000
NAME_CHARACTERS_MAX = 200


@dataclass(frozen=True)
class Form:
    """The fields of a form, in order of arrival."""

    fields: tuple[tuple[str, str], ...] = ()
    files: tuple[Attachment, ...] = field(default=())

    def text(self, name: str, characters_max: int = TEXT_CHARACTERS_MAX) -> str:
        """The last value of a field, trimmed, "" when it is not there; Refused when it is too long."""
        found = next((value for key, value in reversed(self.fields) if key == name), "").strip()
        if len(found) > characters_max:
            raise Refused(f"That is longer than {characters_max:,} characters.", 413, "too_long")
        return found

    def all(self, name: str) -> tuple[str, ...]:
        """Every value of a field."""
        return tuple(value for key, value in self.fields if key == name)

    def number(self, name: str) -> int | None:
        """A field as a whole number, None when it is none."""
        value = self.text(name)
        return int(value) if value.isascii() and value.isdigit() and len(value) < 18 else None


async def read_form(request: Request) -> Form:
    """The form of this request, read once; Refused 411 or 413 when its size is unknown or too large."""
    kept = getattr(request.state, "form", None)
    if isinstance(kept, Form):
        return kept
    _check_length(request, FILES_BYTES_MAX if request.url.path in WITH_FILES else FORM_BYTES_MAX)
    try:
        async with request.form(max_files=FILES_MAX, max_fields=FIELDS_MAX) as raw:
            pairs = raw.multi_items()
            texts = [(key, value.replace("\0", "")) for key, value in pairs if isinstance(value, str)]
            files = [await _file(each) for _, each in pairs if isinstance(each, UploadFile) and each.filename]
    except MultiPartException as wrong:
        raise Refused(f"This form cannot be read: {wrong.message}", 400, "bad_form") from wrong
    form = Form(tuple(texts), tuple(files))
    request.state.form = form
    return form


def _check_length(request: Request, bytes_max: int) -> None:
    length = request.headers.get("content-length", "")
    if not length.isdigit():
        if request.method == "DELETE":
            return
        raise Refused("The size of this form is missing.", 411, "length_required")
    if int(length) > bytes_max:
        raise Refused(f"That is larger than {bytes_max // 1024 // 1024} MiB.", 413, "too_large")


async def _file(upload: UploadFile) -> Attachment:
    name = PurePosixPath(PureWindowsPath(upload.filename or "file").name).name[:NAME_CHARACTERS_MAX] or "file"
    kind = upload.content_type or mimetypes.guess_type(name)[0] or "application/octet-stream"
    return Attachment(name, kind, await upload.read())
