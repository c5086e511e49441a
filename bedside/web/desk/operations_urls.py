"""Addresses of operations: the processor's events, disputes and payouts; part of the desk's."""

from __future__ import annotations

from django.urls import path

from bedside.web.desk import operations

urlpatterns = [
    path("operations/events", operations.events, name="events"),
    path("operations/events/<int:event>/again", operations.run_again, name="event_again"),
    path("operations/disputes", operations.disputes, name="disputes"),
    path("operations/disputes/<int:dispute>", operations.dispute, name="dispute"),
    path("operations/payouts", operations.payouts, name="payouts"),
]
