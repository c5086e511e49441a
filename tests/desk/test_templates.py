"""Templates at the desk: every message shown, other words kept as versions, wrong ones refused by name."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.db import IntegrityError, transaction
from django.test import Client

from bedside.accounts.models import User
from bedside.core.models import Alert, AuditEntry
from bedside.notifications.content import facts_for
from bedside.notifications.models import Channel
from bedside.notifications.rendering import render
from bedside.notifications.template_models import TemplateVersion
from bedside.notifications.wording.defaults import default_parts
from bedside.notifications.wording.slots import Slot, slots
from tests.factories import make_appointment, make_user
from tests.notifications.conftest import a_message

TEXT = Slot("confirmation", "patient", "sms", "en")
EMAIL = Slot("confirmation", "patient", "email", "en")
GOOD = (
    "{{ practice }}: hello {{ patient }}, see you {{ when_tiny }}. {{ short_link }} "
    "Cancel free until {{ free_until_tiny }}. {{ opt_out }}"
)


def at(slot: Slot, more: str = "") -> str:
    return f"/desk/templates/{slot.kind}/{slot.audience}/{slot.channel}/{slot.language}{more}"


def words(slot: Slot, version: int = 0, **parts: str) -> dict[str, Any]:
    return default_parts(slot) | parts | {"version": version}


def keep(desk: Client, slot: Slot, version: int = 0, **parts: str) -> Any:
    return desk.post(at(slot), words(slot, version, **parts) | {"confirm": "1"})


def test_the_list_leads_to_every_message(desk: Client) -> None:
    assert "/desk/templates" in desk.get("/desk/messages").content.decode()
    page = desk.get("/desk/templates").content.decode()
    assert all(f'href="{at(slot)}"' in page for slot in slots())
    keep(desk, TEXT, text=GOOD)
    assert "Sam Ortega" in desk.get("/desk/templates").content.decode()


@pytest.mark.parametrize("slot", list(slots()), ids=str)
def test_every_message_is_shown_on_sample_visits(desk: Client, slot: Slot) -> None:
    answer = desk.get(at(slot))
    page = answer.content.decode()
    assert answer.status_code == 200
    if slot.channel == Channel.SMS:
        assert "GSM-7" in page
        return
    frame = re.search(r'<iframe[^>]* src="([^"]+)"', page)
    assert frame is not None
    inside = desk.get(frame[1].replace("&amp;", "&"))
    assert inside.content.decode().startswith("<!doctype html>")
    assert "sandbox" in inside["Content-Security-Policy"]
    assert "script-src 'none'" in inside["Content-Security-Policy"]
    assert inside["X-Frame-Options"] == "SAMEORIGIN"
    assert "frame-src 'self'" in answer["Content-Security-Policy"]


def test_other_words_are_shown_first_then_kept_and_then_sent(desk: Client, admin: User) -> None:
    shown = desk.post(at(TEXT), words(TEXT, text=GOOD)).content.decode()
    assert "Not kept yet" in shown
    assert "hello Robin Sample, see you Tue Dec 1, 2:30 PM ET" in shown
    assert not TemplateVersion.objects.exists()
    assert keep(desk, TEXT, text=GOOD).status_code == 303
    message = a_message(make_appointment(), channel=Channel.SMS)
    assert render(message, facts_for(message)).body.startswith("Lakeside Clinic: hello Robin Sample, see you ")
    entry = AuditEntry.objects.get(action="template.changed")
    assert entry.before["text"] == default_parts(TEXT)["text"]
    assert entry.after["text"] == GOOD
    assert entry.actor_id == admin.pk


def test_an_email_keeps_its_facts_and_button_and_escapes_the_words(desk: Client) -> None:
    lead = "Dear {{ patient }},\n\n<script>alert(1)</script> read https://example.com/a."
    assert keep(desk, EMAIL, lead=lead).status_code == 303
    visit = make_appointment(patient_name="<b>Robin</b>")
    message = a_message(visit)
    written = render(message, facts_for(message))
    assert "<script>" not in written.html
    assert "<b>Robin" not in written.html
    assert "&lt;script&gt;" in written.html
    assert '<a class="link" href="https://example.com/a"' in written.html
    assert visit.code in written.html
    assert "<script>alert(1)</script>" in written.body  # plain text is plain


def test_the_draft_is_what_the_frame_shows(desk: Client) -> None:
    page = desk.post(at(EMAIL), words(EMAIL, heading="See you soon, {{ patient }}")).content.decode()
    frame = re.search(r'<iframe[^>]* src="([^"]+)"', page)
    assert frame is not None
    assert "draft=1" in frame[1]
    assert "See you soon, Robin Sample</h1>" in desk.get(frame[1].replace("&amp;", "&")).content.decode()


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (GOOD.replace("patient", "patinet"), "There is no {{ patinet }} in this message. Did you mean {{ patient }}?"),
        (GOOD + "{{ patient|upper }}", "Filters can't be used here: write {{ patient }} alone."),
        (GOOD + "{{ patient.upper }}", "There is no {{ patient.upper }} in this message."),
        (GOOD + "{{ facts.practice_email }}", "There is no {{ facts.practice_email }}"),
        (GOOD + "{{ start_link }}", "There is no {{ start_link }} in this message."),
        (GOOD + "{% load static %}", "{% load %} can't be used here: only if, elif, else and endif."),
        (GOOD + '{% include "x" %}', "{% include %} can't be used here"),
        (GOOD + "{% debug %}", "{% debug %} can't be used here"),
        (GOOD + '{% extends "x" %}', "{% extends %} can't be used here"),
        (GOOD + "{% if patient %}", "each {% if … %} needs its {% endif %}"),
        (GOOD + "{% if secret %}x{% endif %}", "There is no {{ secret }} in this message."),
        (GOOD + "{{ patient", "There is a “{{” without its other half."),
        (GOOD + "{# hidden #}", "can't be used here"),
        (GOOD.replace("{{ short_link }}", ""), "This message needs {{ join_link }} or {{ short_link }}"),
        (GOOD.replace("{{ opt_out }}", ""), "This message needs {{ opt_out }}."),
        (GOOD.replace("{{ when_tiny }}", "{{ time }}"), "This message needs {{ when_tiny }} or {{ when }}."),
        (GOOD + "x" * 900, "Use at most 900 characters; these are"),
        (GOOD + "{{ patient }}" * 50, "texts; at most 4."),
        ("", "Write something here."),
    ],
)
def test_wrong_words_are_refused_by_name_and_nothing_is_stored(desk: Client, text: str, said: str) -> None:
    for more in ({}, {"confirm": "1"}):
        answer = desk.post(at(TEXT), {"text": text, "version": 0} | more)
        page = answer.content.decode().replace("&#x27;", "'").replace("&quot;", '"')
        assert answer.status_code == 422
        assert said in page
        assert 'id="id_text-error"' in page
    assert not TemplateVersion.objects.exists()


def test_two_at_once_see_both_versions(desk: Client) -> None:
    mine = GOOD.replace("hello", "welcome")
    keep(desk, TEXT, text=GOOD)
    answer = keep(desk, TEXT, text=mine)
    page = answer.content.decode()
    assert answer.status_code == 409
    assert "Changed meanwhile" in page
    assert page.count("hello {{ patient }}") >= 1
    assert page.count("welcome {{ patient }}") >= 2
    assert TemplateVersion.objects.count() == 1
    assert keep(desk, TEXT, version=1, text=mine).status_code == 303
    assert TemplateVersion.objects.count() == 2


@pytest.mark.django_db
def test_the_database_takes_no_second_current_version(admin: User) -> None:
    values = {"kind": "confirmation", "audience": "patient", "channel": "sms", "language": "en"}
    row = TemplateVersion.objects.create(**values, number=1, parts={"text": "a"})
    with pytest.raises(IntegrityError), transaction.atomic():
        TemplateVersion.objects.create(**values, number=1, parts={"text": "b"})
    with pytest.raises(Exception, match="append_only|append-only|Cannot"), transaction.atomic():
        row.save()


def test_versions_show_who_when_and_what_and_can_be_taken_up_again(desk: Client) -> None:
    keep(desk, TEXT, text=GOOD)
    keep(desk, TEXT, version=1, text=GOOD.replace("hello", "welcome"))
    page = desk.get(at(TEXT)).content.decode()
    assert "<del>hello</del><ins>welcome</ins>" in page
    assert "Sam Ortega" in page
    assert "?from=1" in page
    assert ": hello {{ patient }}" in desk.get(at(TEXT, "?from=1")).content.decode().split("</textarea>")[0]


def test_back_to_the_default_asks_and_then_holds(desk: Client) -> None:
    keep(desk, TEXT, text=GOOD)
    assert "Back to the default words?" in desk.get(at(TEXT, "/default")).content.decode()
    assert desk.post(at(TEXT, "/default"), {"version": 0}).status_code == 409
    assert desk.post(at(TEXT, "/default"), {"version": 1}).status_code == 303
    message = a_message(make_appointment(), channel=Channel.SMS)
    assert "hello" not in render(message, facts_for(message)).body
    assert AuditEntry.objects.filter(action="template.reset").count() == 1
    assert "back to default" in desk.get(at(TEXT)).content.decode()


def test_words_that_broke_meanwhile_stop_no_message(desk: Client) -> None:
    message = a_message(make_appointment(), channel=Channel.SMS)
    default = render(message, facts_for(message)).body
    TemplateVersion.objects.create(
        kind="confirmation", audience="patient", channel="sms", language="en", number=1, parts={"text": "{{ gone }}"}
    )
    assert render(message, facts_for(message)).body == default
    assert Alert.objects.get(kind="template-broken").key == "confirmation:patient:sms:en"
    assert "These words can" in desk.get(at(TEXT)).content.decode()
    keep(desk, TEXT, version=1, text=GOOD)
    assert Alert.objects.get(kind="template-broken").resolved_at
    assert "These words can" not in desk.get(at(TEXT)).content.decode()


def test_edits_in_one_language_leave_the_other_alone(desk: Client) -> None:
    keep(desk, TEXT, text=GOOD)
    message = a_message(make_appointment(locale="es"), channel=Channel.SMS)
    assert "reservada" in render(message, facts_for(message)).body


@pytest.mark.parametrize("where", ["nothing/patient/sms/en", "receipt/patient/sms/en", "confirmation/provider/sms/es"])
def test_what_there_is_no_message_for_is_not_found(desk: Client, where: str) -> None:
    assert desk.get(f"/desk/templates/{where}").status_code == 404
    assert desk.post(f"/desk/templates/{where}", {"version": 0}).status_code == 404


@pytest.mark.django_db
def test_only_the_desk_gets_in(admin: User) -> None:
    client = Client()
    client.force_login(make_user("provider"))
    for path in ("/desk/templates", at(TEXT), at(TEXT, "/default"), at(EMAIL, "/page?case=confirmation")):
        assert client.get(path).status_code == 403
    assert client.post(at(TEXT), words(TEXT, text=GOOD) | {"confirm": "1"}).status_code == 403
    assert not TemplateVersion.objects.exists()
