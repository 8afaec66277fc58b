"""Downloads of uploaded documents, which no browser may display, run or cache."""

from django.http import FileResponse

from unsubscribes.models import ConsentEvidence

CONTENT_TYPES = {
    "pdf": "application/pdf",
    "png": "image/png",
    "jpg": "image/jpeg",
    "eml": "message/rfc822",
    "txt": "text/plain",
}


def attachment(record: ConsentEvidence) -> FileResponse:
    """Return the download of the document of `record`. The caller has checked the right."""
    return FileResponse(
        record.file.open("rb"),
        as_attachment=True,
        filename=record.file_name,
        content_type=CONTENT_TYPES[record.file_kind],
        # The file comes from a stranger: should a browser show it anyway, it must not run as a part of this site.
        headers={
            "Cache-Control": "private, no-store",
            "Content-Security-Policy": "default-src 'none'; sandbox",
            "X-Content-Type-Options": "nosniff",
        },
    )
