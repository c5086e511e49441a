"""The desk's addresses of services, providers and groups."""

from __future__ import annotations

from django.urls import path

from bedside.web.desk import catalogue, groups, people, questions

urlpatterns = [
    path("catalogue", catalogue.services, name="services"),
    path("catalogue/new", catalogue.new_service, name="service_new"),
    path("catalogue/groups", groups.groups, name="groups"),
    path("catalogue/groups/new", groups.new_group, name="group_new"),
    path("catalogue/groups/<slug:slug>", groups.group, name="group"),
    path("catalogue/<slug:slug>", catalogue.service, name="service"),
    path("catalogue/<slug:slug>/questions", questions.questions, name="service_questions"),
    path("catalogue/<slug:slug>/archive", catalogue.archive_service, name="service_archive"),
    path("people", people.people, name="people"),
    path("people/new", people.new_provider, name="provider_new"),
    path("people/<slug:slug>", people.provider, name="provider"),
    path("people/<slug:slug>/archive", people.archive_provider, name="provider_archive"),
]
