"""All record checks, in the order of correction: a check comes after those whose results it relies on."""

from django.utils.translation import gettext_lazy as _

from exports.integrity import address_hashes, cards, erasure_leftovers, file_checks, stalled_work, tallies
from exports.integrity.check import Check, finder

MENDS = cards.MENDS

CHECKS: tuple[Check, ...] = (
    Check(
        "address_hashes", _("Addresses whose stored hash is wrong"), address_hashes.differing, address_hashes.hash_anew
    ),
    Check("no_card", _("People without a compliance card"), finder(cards.NO_CARD), cards.make_cards),
    Check(
        "opt_out_only_in_history",
        _("People who said no by their history and are not unsubscribed"),
        cards.differing,
        MENDS["opt_out_only_in_history"],
    ),
    Check(
        "suppressed_not_unsubscribed",
        _("People with a suppressed address who are not unsubscribed"),
        finder(cards.NOT_UNSUBSCRIBED),
        MENDS["suppressed_not_unsubscribed"],
    ),
    Check(
        "unsubscribed_not_suppressed",
        _("Unsubscribed people whose address is not suppressed"),
        finder(cards.NOT_SUPPRESSED),
        MENDS["unsubscribed_not_suppressed"],
    ),
    Check(
        "opt_out_not_in_history",
        _("Unsubscribed people whose history does not say so"),
        cards.differing,
        MENDS["opt_out_not_in_history"],
    ),
    Check(
        "lookalikes",
        _("People wrongly marked, or not marked, as looking like somebody who said no"),
        finder(cards.WRONG_LOOKS),
        MENDS["lookalikes"],
    ),
    Check("card_history", _("Cards that differ from their history"), cards.differing, MENDS["card_history"]),
    Check("person_not_in_history", _("People whom the history does not know"), cards.differing),
    Check(
        "vanished",
        _("People in the history who are gone without being erased or merged"),
        finder(erasure_leftovers.VANISHED),
    ),
    Check("sort_names", _("Cards that sort under another name"), finder(cards.OTHER_NAMES), MENDS["sort_names"]),
    Check("tallies", _("Kinds of people whose kept number is wrong"), tallies.differing, tallies.count_anew),
    Check("batch_counts", _("Bulk changes whose numbers do not add up"), finder(tallies.BATCHES)),
    Check("import_counts", _("Imports whose numbers do not add up"), finder(tallies.IMPORTS)),
    Check("missing_files", _("Rows whose file is missing"), file_checks.missing),
    Check("stray_files", _("Files that no row names"), file_checks.without_row, file_checks.remove_strays),
    Check("doomed_files", _("Files that cannot be removed"), finder(stalled_work.PENDING_DELETIONS)),
    Check(
        "words_of_erased",
        _("Erased people whose history still has words"),
        finder(erasure_leftovers.WORDS),
        erasure_leftovers.scrub,
    ),
    Check(
        "links_of_erased",
        _("Unsubscribe links of erased people that keep an address hash"),
        finder(erasure_leftovers.LINKS),
    ),
    Check(
        "sync_records_of_nobody",
        _("%(crm)s records linked to people who are gone"),
        finder(erasure_leftovers.RECORDS),
        erasure_leftovers.unlink_records,
    ),
    Check(
        "sync_hashes_of_erased",
        _("%(crm)s records of erased people that keep an address hash"),
        finder(erasure_leftovers.RECORD_HASHES),
        erasure_leftovers.forget_hashes,
    ),
    Check("merges_of_nobody", _("Merges into people who are gone"), finder(erasure_leftovers.MERGES)),
    Check("orders_waiting", _("Bulk changes and exports that wait too long"), finder(stalled_work.ORDERS)),
    Check("imports_waiting", _("Imports that wait too long"), finder(stalled_work.IMPORTS)),
    Check("verifications_waiting", _("Verifications that wait too long"), finder(stalled_work.VERIFICATIONS)),
    Check("runs_waiting", _("Sync runs that wait too long"), finder(stalled_work.RUNS)),
    Check("mails_waiting", _("Emails that wait too long"), stalled_work.mails),
    Check("outbox_waiting", _("Changes for %(crm)s that wait too long"), finder(stalled_work.OUTBOX)),
)
BY_NAME = {check.name: check for check in CHECKS}
