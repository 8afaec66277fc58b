"""Work that waits too long. Sweeps pick everything up within minutes, so something must be preventing them."""

from exports.integrity.check import DifferenceCount, counted
from unsubscribes.mail.sending import backends, server

ORDERS = """
    SELECT id FROM contacts_batch
    WHERE state IN ('queued', 'running') AND coalesce(heartbeat_at, created_at) < now() - interval '1 hour'
"""
IMPORTS = """
    SELECT id FROM compliance_importjob
    WHERE state IN ('queued', 'running') AND attempt > 0
        AND coalesce(heartbeat_at, created_at) < now() - interval '1 hour'
"""
VERIFICATIONS = """
    SELECT id FROM contacts_verification WHERE good IS NULL AND heartbeat_at < now() - interval '1 hour'
"""
RUNS = """
    SELECT id FROM unsubscribes_syncrun
    WHERE state IN ('queued', 'running') AND coalesce(heartbeat_at, created_at) < now() - interval '1 hour'
"""
MAILS = """
    SELECT id FROM unsubscribes_message
    WHERE state = 'queued' AND not_before < now() - interval '1 hour' AND %(can_leave)s
        OR state = 'sending' AND claimed_at < now() - interval '10 minutes'
"""
OUTBOX = """
    SELECT id FROM (
        SELECT id FROM unsubscribes_outboxentry
        WHERE state IN ('pending', 'retry') AND due_at < now() - interval '1 hour'
        OR state = 'leased' AND leased_until < now() - interval '1 hour'
        UNION ALL SELECT id FROM unsubscribes_syncnotice WHERE at < now() - interval '1 hour'
    ) late WHERE EXISTS (SELECT FROM unsubscribes_syncconnection WHERE state = 'active')
"""
PENDING_DELETIONS = "SELECT id FROM exports_doomedfile WHERE created_at < now() - interval '1 day'"


def mails() -> DifferenceCount:
    """Count mails that wait too long. Without a working mail server they wait rightly; the mail pages report that."""
    return counted(MAILS, {"can_leave": backends.has_server() and server.trouble() is None})
