"""Every kind of message has its words wherever messages are listed, and its rule for when it may still go."""

from __future__ import annotations

import pytest

from bedside.notifications.models import Kind
from bedside.notifications.rules import RULES
from bedside.web.booking.messages_sent import WORDS


@pytest.mark.parametrize("kind", Kind)
def test_each_kind_has_its_words_and_its_rule(kind: Kind) -> None:
    assert WORDS[kind]
    assert kind in RULES
