"""The policy page, and restricting on the page of a person."""

import pytest

from compliance.models import ComplianceCard, Policy
from compliance.verdict import policy
from contacts.events import history

VALUES = {
    "no_authorization": "block",
    "consent_old": "warn",
    "interest_due": "warn",
    "other_ground": "allow",
    "consent_months": 36,
    "interest_months": 12,
}


def test_an_administrator_puts_a_new_policy_in_force(administrating, person):
    anna = person(email="anna@example.com")
    assert administrating.post("/settings/policy/", VALUES).status_code == 302
    assert (policy.current().no_authorization, policy.current().consent_months) == ("block", 36)
    html = administrating.get("/settings/policy/").content.decode()
    assert "from “Hold” to “Block”" in html
    assert "Consent expires after (months): from “24” to “36”" in html
    assert '<p class="verdict-answer">No</p>' in administrating.get(f"/people/{anna.pk}/").content.decode()
    administrating.post("/settings/policy/", VALUES)
    assert Policy.objects.count() == 1


@pytest.mark.parametrize("wrong", [{"consent_months": 0}, {"consent_months": 121}, {"consent_old": "explode"}])
def test_a_wrong_value_is_shown_beside_its_field(administrating, wrong):
    assert administrating.post("/settings/policy/", VALUES | wrong).status_code == 422
    assert Policy.objects.count() == 0


def test_the_policy_is_not_the_members(signed_in):
    assert signed_in.get("/settings/policy/").status_code == 403
    assert "/settings/policy/" not in signed_in.get("/settings/").content.decode()


def test_restricting_and_lifting_on_the_page(signed_in, person):
    anna = person(email="anna@example.com")
    url = f"/people/{anna.pk}/restriction/"
    assert "Restrict the processing of" in signed_in.get(url).content.decode()
    assert signed_in.post(url, {"reason": " "}).status_code == 422
    assert signed_in.post(url, {"reason": "Contested"}).status_code == 302
    assert ComplianceCard.objects.get().restricted_at is not None
    html = signed_in.get(f"/people/{anna.pk}/").content.decode()
    assert "Processing restricted since" in html
    assert "Lift restriction" in html
    assert "Write mail" not in html
    assert 'value="True"' in signed_in.get(url).content.decode()
    assert signed_in.post(url, {"reason": "Settled", "lifts": "True"}).status_code == 302
    assert ComplianceCard.objects.get().restricted_at is None
    assert [event.action for event in history.of_contact(anna.pk)[:2]] == ["unrestricted", "restricted"]
