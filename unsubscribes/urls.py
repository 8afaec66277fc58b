"""The addresses of mail and of the way out of it."""

from django.urls import path, re_path

from unsubscribes import public
from unsubscribes.views import (
    compose,
    ledger,
    mails,
    merge,
    reconsent,
    suppression_list,
    sync,
    sync_lists,
    sync_settings,
    team,
    webhooks,
)

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
    path("mails/templates/<int:template_id>/informs/", team.notice_template, name="mail-template-informs"),
    path("settings/mail/", team.settings, name="mail-settings"),
    path("settings/salesforce/", sync_settings.settings, name="salesforce-settings"),
    path("settings/salesforce/test/", sync_settings.test, name="salesforce-test"),
    path("settings/salesforce/dry-run/", sync_settings.try_out, name="salesforce-try"),
    path("settings/salesforce/activate/", sync_settings.activate, name="salesforce-activate"),
    path("settings/salesforce/pause/", sync_settings.pause, name="salesforce-pause"),
    path("settings/salesforce/resume/", sync_settings.resume, name="salesforce-resume"),
    path("settings/salesforce/disconnect/", sync_settings.disconnect, name="salesforce-disconnect"),
    path("sync/", sync.index, name="sync"),
    path("sync/run/", sync.run_now, name="salesforce-now"),
    path("sync/runs/", sync_lists.runs, name="salesforce-runs"),
    path("sync/runs/<int:run_id>/", sync_lists.run, name="salesforce-run"),
    path("sync/runs/<int:run_id>/file/", sync_lists.run_file, name="salesforce-run-file"),
    path("sync/errors/", sync_lists.errors, name="salesforce-errors"),
    path("sync/errors/retry/", sync.retry_all, name="salesforce-retry-all"),
    path("sync/errors/<int:error_id>/retry/", sync.retry, name="salesforce-retry"),
    path("sync/records/", sync_lists.all_records, name="salesforce-records"),
    path("sync/records/<slug:sf_id>/", sync_lists.record, name="salesforce-record"),
    path("webhooks/<slug:provider>/", webhooks.webhook, name="webhook"),
    # Whatever follows /u/ is a token, damaged or not, with or without the slash that mail programs like to drop.
    re_path(r"^u/(?P<token>[\s\S]*?)/?$", public.unsubscribe, name="unsubscribe-link"),
]
