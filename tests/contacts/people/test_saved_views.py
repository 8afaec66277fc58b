import re

import pytest
from django.test import Client

from contacts.models import SavedView
from contacts.people import saved_views
from salesconnect.lib.errors import Invalid, Missing


def test_a_view_is_saved_found_again_above_the_list_and_deleted(signed_in, person):
    person()
    response = signed_in.post("/people/views/new/", {"name": " My  list ", "query": "search=be&ordering=email"})
    assert (response.status_code, response.url) == (302, "/people/?search=be&ordering=email")
    view = SavedView.objects.get()
    assert (view.name, view.query) == ("My list", "search=be&ordering=email")
    html = signed_in.get(response.url).content.decode()
    assert re.search(r'<a class="view" href="([^"]*)"[^>]*aria-current="page">My list', html)[1] == (
        "/people/?search=be&amp;ordering=email"
    )
    assert signed_in.post(f"/people/views/{view.pk}/delete/").url == "/people/"
    assert SavedView.objects.count() == 0


def test_the_same_name_replaces_what_it_meant(member):
    saved_views.save("Fair", "search=a", actor=member)
    saved_views.save("Fair", "search=b", actor=member)
    assert list(SavedView.objects.values_list("query", flat=True)) == ["search=b"]


@pytest.mark.parametrize("name", ["", "   ", "x" * 61])
def test_a_view_needs_a_name(signed_in, name):
    response = signed_in.post("/people/views/new/", {"name": name, "query": ""})
    assert response.status_code == 422
    assert "Give a name of 1 to 60 characters." in response.content.decode()


def test_fifty_views_are_the_most(member):
    for number in range(saved_views.MAX_VIEWS):
        saved_views.save(str(number), "", actor=member)
    saved_views.save("7", "search=x", actor=member)
    with pytest.raises(Invalid):
        saved_views.save("one more", "", actor=member)


def test_views_are_their_owners_alone(member, administrator, charlie):
    view = saved_views.save("Fair", "search=a", actor=member)
    with pytest.raises(Missing):
        saved_views.delete(view.pk, actor=administrator)
    other = Client()
    other.force_login(charlie)
    assert "Fair" not in other.get("/people/").content.decode()
    assert other.post(f"/people/views/{view.pk}/delete/").status_code == 404


def test_the_name_is_asked_for_in_the_dialog(signed_in):
    html = signed_in.get("/people/views/new/?search=be", headers={"HX-Request": "true", "HX-Target": "dialog-root"})
    assert '<h2 class="dialog-title" id="dialog-title" tabindex="-1">Save this view</h2>' in html.content.decode()
