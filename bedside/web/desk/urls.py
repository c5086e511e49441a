"""The desk's addresses. Every view behind them asks for the admin role."""

from __future__ import annotations

from django.urls import path

from bedside.web.desk import appointment, appointments, find, flags, home, policies
from bedside.web.desk.action_urls import urlpatterns as action_urls
from bedside.web.desk.bulk_urls import urlpatterns as bulk_urls
from bedside.web.desk.calendar_urls import urlpatterns as calendar_urls
from bedside.web.desk.catalogue_urls import urlpatterns as catalogue_urls
from bedside.web.desk.hours_urls import urlpatterns as hours_urls
from bedside.web.desk.messages_urls import urlpatterns as messages_urls
from bedside.web.desk.money_urls import urlpatterns as money_urls
from bedside.web.desk.operations_urls import urlpatterns as operations_urls
from bedside.web.desk.payment_urls import urlpatterns as payment_urls
from bedside.web.desk.price_urls import urlpatterns as price_urls
from bedside.web.desk.settings_urls import urlpatterns as settings_urls
from bedside.web.desk.views_urls import urlpatterns as views_urls

app_name = "desk"
urlpatterns = [
    path("", home.today, name="today"),
    path("find", find.find, name="find"),
    path("shortcuts", find.shortcuts, name="shortcuts"),
    path("alerts/<int:alert>/done", home.alert_done, name="alert_done"),
    path("appointments", appointments.appointments, name="appointments"),
    *bulk_urls,
    *views_urls,
    *action_urls,
    *payment_urls,
    path("appointments/<str:code>", appointment.show, name="appointment"),
    path("appointments/<str:code>/contact/show", appointment.show_contact, name="show_contact"),
    path("appointments/<str:code>/resend", appointment.send_again, name="resend"),
    path("catalogue/policies", policies.policy_list, name="policies"),
    path("catalogue/policies/new", policies.new_policy, name="new_policy"),
    path("catalogue/policies/new/<slug:slug>", policies.new_policy, name="new_service_policy"),
    path("catalogue/policies/follow/<slug:slug>", policies.follow_practice, name="follow_practice_policy"),
    path("settings/flags", flags.flags, name="flags"),
    *hours_urls,
    *calendar_urls,
    *messages_urls,
    *money_urls,
    *operations_urls,
    *price_urls,
    *settings_urls,
    # Last: a service may bear any slug that none of the pages above does.
    *catalogue_urls,
]
