"""The addresses of mail and of the way out of it."""

from django.urls import path, re_path

from unsubscribes import public
from unsubscribes.views import compose, ledger, mails, merge, reconsent, suppression_list, team, webhooks

urlpatterns = [
    path("people/<int:contact_id>/mail/", compose.to_one, name="person-mail"),
    path("people/<int:contact_id>/re-consent/", reconsent.page, name="person-reconsent"),
    path("people/<int:contact_id>/evidence/<int:record_id>/", reconsent.document, name="person-evidence"),
    path("people/<int:contact_id>/merge/", merge.page, name="person-merge"),
    path("people/<int:contact_id>/merge/<int:merge_id>/undo/", merge.undo, name="person-unmerge"),
    path("unsubscribes/", ledger.index, name="unsubscribes"),
    path("unsubscribes/export/", ledger.export, name="unsubscribes-export"),
    path("unsubscribes/import/", suppression_list.new, name="suppression-import"),
    path("unsubscribes/import/<int:list_id>/", suppression_list.result, name="suppression-file"),
    path("unsubscribes/import/<int:list_id>/invalid/", suppression_list.rejected, name="suppression-rejected"),
    path("mails/", mails.mails, name="mails"),
    path("mails/compose/", compose.to_many, name="mail-compose"),
    path("mails/<int:message_id>/", mails.mail, name="mail"),
    path("mails/<int:message_id>/resolve/", mails.resolve, name="mail-resolve"),
    path("mails/templates/<int:template_id>/delete/", team.remove_template, name="mail-template-delete"),
    path("settings/mail/", team.settings, name="mail-settings"),
    path("webhooks/<slug:provider>/", webhooks.webhook, name="webhook"),
    # Whatever follows /u/ is a token, damaged or not, with or without the slash that mail programs like to drop.
    re_path(r"^u/(?P<token>[\s\S]*?)/?$", public.unsubscribe, name="unsubscribe-link"),
]
