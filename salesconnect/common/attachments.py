"""Documents on their way out: a download that no browser shows, runs or keeps."""

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
    """Return the answer that hands out the document of `record`; who may have it was asked before."""
    return FileResponse(
        record.file.open("rb"),
        as_attachment=True,
        filename=record.file_name,
        content_type=CONTENT_TYPES[record.file_kind],
        headers={
            "Cache-Control": "private, no-store",
            "Content-Security-Policy": "default-src 'none'; sandbox",
            "X-Content-Type-Options": "nosniff",
        },
    )
