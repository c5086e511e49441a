"""What the desk does with an appointment, and with a day's appointments."""

from __future__ import annotations

from django.urls import path

from bedside.web.desk import cancellation, concluding, end_of_day, moving, questions, reassigning

urlpatterns = [
    path("appointments/end-of-day", end_of_day.end_of_day, name="end_of_day"),
    path("appointments/<str:code>/cancel", cancellation.cancel_visit, name="cancel"),
    path("appointments/<str:code>/intake", questions.answers, name="intake"),
    path("appointments/<str:code>/move", moving.move, name="move"),
    path("appointments/<str:code>/move/confirm", moving.confirm, name="move_confirm"),
    path("appointments/<str:code>/reassign", reassigning.reassign_visit, name="reassign"),
    path("appointments/<str:code>/complete", concluding.complete, name="complete"),
    path("appointments/<str:code>/no-show", concluding.no_show, name="no_show"),
    path("appointments/<str:code>/undo", concluding.undo, name="undo"),
]
