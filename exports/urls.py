"""The addresses of what leaves."""

from django.urls import path

from exports import views

urlpatterns = [
    path("people/<int:contact_id>/export/", views.export, name="person-export"),
    path("people/<int:contact_id>/delete/", views.delete, name="person-delete"),
]
