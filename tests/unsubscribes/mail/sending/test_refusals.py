"""Whose trouble a refusal is, by what real servers say."""

import pytest

from unsubscribes.mail.sending.refusals import RefusedBecauseOf, cause_of_refusal

US, THEM, IT = RefusedBecauseOf.SENDER, RefusedBecauseOf.RECIPIENT, RefusedBecauseOf.MESSAGE


@pytest.mark.parametrize(
    ("code", "said", "whose"),
    [
        (550, "5.4.5 Daily user sending limit exceeded.", US),
        (550, "5.7.1 Unable to relay", US),
        (554, "5.7.1 <a@example.com>: Relay access denied", US),
        (554, "relay access denied", US),
        (530, "5.7.0 Must issue a STARTTLS command first", US),
        (553, "5.7.1 Sender address rejected: not owned by user", US),
        (451, "4.7.1 Please try again later", US),
        (452, "4.3.1 Insufficient system storage", US),
        (452, "4.5.3 Too many recipients", US),
        (451, "4.4.5 congested", US),
        (450, "4.1.8 Sender address rejected: Domain not found", US),
        (421, "too many", US),
        (451, "local error", US),
        (550, "Hourly quota exceeded for this account", US),
        (550, "5.1.1 user unknown", THEM),
        (550, "5.1.1 Account disabled, relay denied", THEM),
        (552, "5.2.2 mailbox quota exceeded", THEM),
        (452, "4.2.2 over quota", THEM),
        (450, "4.2.1 receiving mail at a rate that prevents more", THEM),
        (550, "5.4.1 Recipient address rejected: Access denied", THEM),
        (550, "5.4.4 no route to host", THEM),
        (451, "greylisted, come back", THEM),
        (450, "mailbox busy", THEM),
        (550, "no such user", THEM),
        (552, "mailbox full", THEM),
        (553, "5.1.3 bad address", THEM),
        (552, "5.3.4 message too big", IT),
        (554, "5.6.0 malformed", IT),
    ],
)
def test_a_refusal_at_the_recipient(code, said, whose):
    assert cause_of_refusal(code, said) is whose


@pytest.mark.parametrize(
    ("code", "said", "whose"),
    [
        (554, "5.7.0 Your message could not be sent. The limit on the number of allowed outgoing messages was", US),
        (554, "5.2.0 SubmissionQuotaExceeded", US),
        (554, "5.7.26 not authenticated", US),
        (451, "4.3.0 try later", US),
        (550, "5.1.1 user unknown", THEM),
        (552, "message too large", IT),
        (554, "transaction failed", IT),
    ],
)
def test_a_refusal_of_the_content(code, said, whose):
    assert cause_of_refusal(code, said, at_data=True) is whose
