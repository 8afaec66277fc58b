"""The addresses of people and of the settings."""

from django.urls import path

from contacts.views import create, email_change, people, person, profile, proof, saved, seals, tasks, users

urlpatterns = [
    path("people/", people.people, name="people"),
    path("people/count/", people.people_count, name="people-count"),
    path("people/views/new/", saved.save_view, name="save-view"),
    path("people/views/<int:view_id>/delete/", saved.delete_view, name="delete-view"),
    path("tasks/", tasks.tasks, name="tasks"),
    path("tasks/running/", tasks.running, name="running-tasks"),
    path("tasks/<int:batch_id>/", tasks.task, name="task"),
    path("tasks/<int:batch_id>/undo/", tasks.undo, name="undo-task"),
    path("tasks/<int:batch_id>/approve/", tasks.approve, name="approve-task"),
    path("tasks/<int:batch_id>/cancel/", tasks.cancel, name="cancel-task"),
    path("tasks/<int:batch_id>/refused/", tasks.refused, name="task-refused"),
    path("tasks/<int:batch_id>/file/", tasks.file, name="task-file"),
    path("people/new/", create.new, name="person-new"),
    path("people/<int:contact_id>/", person.person, name="person"),
    path("people/<int:contact_id>/details/", person.details, name="person-details"),
    path("people/<int:contact_id>/history/", person.past, name="person-history"),
    path("people/<int:contact_id>/undo/", person.undo, name="person-undo"),
    path("events/<int:event_id>/proof/", proof.proof, name="event-proof-file"),
    path("settings/", users.index, name="settings"),
    path("settings/profile/", profile.profile, name="profile"),
    path("settings/profile/email/", email_change.propose, name="email-change"),
    path("settings/profile/email/<str:token>/", email_change.confirm, name="email-confirm"),
    path("settings/profile/tokens/", profile.new_token, name="token-new"),
    path("settings/profile/tokens/<int:token_id>/revoke/", profile.revoke_token, name="token-revoke"),
    path("settings/preferences/", profile.preferences, name="preferences"),
    path("settings/language/", profile.set_language, name="set_language"),
    path("settings/proof/", seals.page, name="seals"),
    path("settings/proof/verify/", seals.verify, name="verify-history"),
    path("settings/users/", users.people_who_sign_in, name="users"),
    path("settings/users/<int:user_id>/", users.account, name="user"),
]
