"""The addresses of people and of the settings."""

from django.urls import path

from contacts.views import users

urlpatterns = [
    path("settings/", users.index, name="settings"),
    path("settings/users/", users.people_who_sign_in, name="users"),
    path("settings/users/<int:user_id>/", users.account, name="user"),
]
