"""The language of edited words: whatever is typed is refused by name, or says plain text and reaches nothing."""

from __future__ import annotations

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bedside.notifications.wording import names, samples
from bedside.notifications.wording.checking import BrokenWords, fill, problems, tidy
from bedside.notifications.wording.defaults import allowed, default_parts, kept, missing
from bedside.notifications.wording.laying_out import as_html
from bedside.notifications.wording.slots import Slot, slots

TEXT = Slot("reminder", "patient", "sms", "en")
NAMED = ["patient", "patient.__class__", "x", "_('a')", "patient|safe", "block.super", "'a'"]
TAGGED = ["if patient", "else", "elif variant == '1h'", "endif", "if not patient and due", "include 'a'", "load i18n"]
TAGGED += ["if patient.pop", "if 1 < 2", "csrf_token", "verbatim", "if patient|length", "debug", "extends 'a'"]
PIECES = (
    st.sampled_from(NAMED).map(lambda name: f"{{{{ {name} }}}}")
    | st.sampled_from(TAGGED).map(lambda tag: f"{{% {tag} %}}")
    | st.sampled_from(["{{", "}}", "{%", "%}", "{# a #}", " words ", "<b>"])
)
VALUES: dict[str, str | bool] = {name: f"<{name}>" for name in names.NAMES}


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(PIECES | st.text(max_size=8), max_size=8))
def test_whatever_is_typed_is_refused_or_is_plain_text(pieces: list[str]) -> None:
    text = tidy("text", "".join(pieces))
    wrong = problems(TEXT, {"text": text}, allowed=allowed(TEXT))
    if wrong:
        assert all(wrong.values())
        return
    try:
        said = fill(TEXT, {"text": text}, VALUES, allowed(TEXT))["text"]
    except BrokenWords:
        return  # a condition that left nothing
    assert "{{" not in said
    assert "{%" not in said
    assert "class" not in said


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.text(max_size=200))
def test_laid_out_words_hold_no_markup_of_their_own(text: str) -> None:
    html = str(as_html(text))
    assert html.count("<") == html.count("<p ") + html.count("</p>") + html.count("<br>") + 2 * html.count("</a>")


def test_every_default_passes_its_own_check() -> None:
    for slot in slots():
        parts = default_parts(slot)
        assert problems(slot, parts, allowed=allowed(slot)) == {}, slot
        assert missing(slot, parts) == [], slot


def test_what_a_message_cannot_do_without() -> None:
    needed = {slot: {name for group in kept(slot) for name in group} for slot in slots()}
    assert "opt_out" in needed[TEXT]
    assert {"join_link", "free_until_tiny", "when_tiny"} <= needed[TEXT]
    assert "claim_link" in needed[Slot("waitlist_offer", "patient", "sms", "es")]
    assert "intake_link" in needed[Slot("intake_request", "patient", "sms", "es")]
    assert "start_link" in needed[Slot("confirmation", "provider", "sms", "en")]
    assert "cancellation" in needed[Slot("confirmation", "patient", "email", "en")]


def test_every_kind_has_sample_visits_for_everybody_who_hears_of_it() -> None:
    assert all(list(samples.cases(slot.kind, slot.audience)) for slot in slots())
