"""Feature flags at the desk: said in words, switched with care, seen everywhere at once, and on record."""

from __future__ import annotations

import threading
from importlib import import_module

import pytest
from django.db import connection
from django.test import Client
from waffle.models import Flag

from bedside.core import flags
from bedside.core.audit import Actor
from bedside.core.errors import PermissionRefused
from bedside.core.models import AuditEntry, Event
from bedside.flows import features

pytestmark = pytest.mark.django_db
PAGE = "/desk/settings/flags"


def test_a_new_practice_starts_with_all_but_the_providers_own_hours() -> None:
    assert {name: flags.enabled(name) for name in flags.FLAGS} == {
        "partial-refunds": True, "credits": True, "promo-codes": True, "provider-availability": False,
    }  # fmt: skip


def test_the_migration_made_a_row_for_each_with_the_same_default() -> None:
    assert {name: feature.default for name, feature in flags.FLAGS.items()} == import_module(
        "bedside.core.migrations.0002_feature_flags"
    ).FLAGS


def test_the_page_says_what_each_does(desk: Client) -> None:
    page = desk.get(PAGE).content.decode()
    for feature in flags.FLAGS.values():
        assert str(feature.title) in page
        assert str(feature.what) in page
    assert f'href="{PAGE}"' in desk.get("/desk/users").content.decode()


def test_switching_off_asks_first_and_is_on_record(desk: Client) -> None:
    asked = desk.get(PAGE + "?off=promo-codes").content.decode()
    assert "The entry field goes away" in asked
    assert flags.enabled("promo-codes")
    assert desk.post(PAGE, {"flag": "promo-codes", "on": "0"}).status_code == 303
    assert not flags.enabled("promo-codes")
    with pytest.raises(flags.FeatureOff):
        flags.require("promo-codes")
    entry = AuditEntry.objects.get(action="feature.switched")
    assert (entry.before, entry.after) == ({"flag": "promo-codes", "on": True}, {"flag": "promo-codes", "on": False})
    assert Event.objects.filter(name="FeatureSwitched").count() == 1


def test_switching_twice_changes_once(desk: Client) -> None:
    for _ in range(2):
        desk.post(PAGE, {"flag": "provider-availability", "on": "1"})
    assert flags.enabled("provider-availability")
    assert AuditEntry.objects.filter(action="feature.switched").count() == 1


@pytest.mark.parametrize(
    "fields", [{"flag": "nonsense", "on": "1"}, {"flag": "credits"}, {"flag": "credits", "on": "x"}]
)
def test_nonsense_changes_nothing(desk: Client, fields: dict[str, str]) -> None:
    assert desk.post(PAGE, fields).status_code == 404
    assert flags.enabled("credits")


def test_only_the_desk_may_switch() -> None:
    with pytest.raises(PermissionRefused):
        features.switch(name="credits", on=False, actor=Actor("provider", 1, "P"))
    assert flags.enabled("credits")


@pytest.mark.django_db(transaction=True)
def test_another_process_sees_a_switch_at_its_next_question() -> None:
    Flag.objects.get_or_create(name="credits", defaults={"everyone": True})
    assert flags.enabled("credits")

    def elsewhere() -> None:
        features.switch(name="credits", on=False, actor=Actor.system())
        connection.close()

    other = threading.Thread(target=elsewhere)
    other.start()
    other.join()
    assert not flags.enabled("credits")
    assert Flag.get("credits").everyone is False
