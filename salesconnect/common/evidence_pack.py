"""The evidence pack as a download, for pages and API."""

from django.http import FileResponse

from exports.files.csv_column_registry import content_disposition
from exports.pack import packing
from salesconnect.common import evidence_pack_words
from salesconnect.common.history_words import describe
from salesconnect.lib.actor import Actor


def pack_answer(contact_id: int, *, actor: Actor, reason: str = "") -> FileResponse:
    pack = packing.evidence_pack(
        contact_id, actor=actor, words=evidence_pack_words.page, describe=describe, reason=reason
    )
    headers = {"Content-Disposition": content_disposition(pack.name), "Cache-Control": "no-store"}
    return FileResponse(pack.file, content_type="application/zip", headers=headers)
