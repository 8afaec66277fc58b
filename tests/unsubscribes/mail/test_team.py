from unsubscribes.mail import team
from unsubscribes.models import TeamSettings


def test_a_new_installation_has_sound_words_and_is_strict(db):
    settings = team.current()
    assert team.name(settings) == "Sales Connect"
    assert "{{ unsubscribe_link }}" in team.words(settings, "en")
    assert "{{ unsubscribe_link }}" in team.words(settings, "sv")


def test_each_language_has_its_own_words():
    settings = TeamSettings(words_sv="Hej då.")
    assert team.words(settings, "sv") == "Hej då."
    assert team.words(settings, "en") == team.default_words("en")


def test_there_is_one_row_of_settings_and_saving_the_same_changes_nothing(administrator):
    outcomes = [team.change({"company_name": "Exempel AB"}, actor=administrator) for _ in range(2)]
    assert [(outcome.changed, outcome.unchanged) for outcome in outcomes] == [(1, 0), (0, 1)]
    assert list(TeamSettings.objects.values_list("pk", "company_name")) == [(1, "Exempel AB")]
