"""Questions before a visit, and what counts as an answer. Pure: imports no models."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

KINDS = {
    "short": gettext_lazy("Short answer"),
    "long": gettext_lazy("Long answer"),
    "choice": gettext_lazy("One of several"),
    "yesno": gettext_lazy("Yes or no"),
}
MOST = 20
MOST_TEXT = 300
MOST_CHOICES = 12
MOST_CHOICE = 80
LONGEST = {"short": 200, "long": 3000}


@dataclass(frozen=True)
class Question:
    """``key`` names it within its questionnaire; ``choices`` are for "choice" only."""

    key: str
    kind: str
    text: str
    required: bool = False
    choices: list[str] = field(default_factory=list)

    def stored(self) -> dict[str, Any]:
        return asdict(self)


def read(stored: Sequence[Mapping[str, Any]]) -> list[Question]:
    """Questions as they are kept."""
    return [Question(**row) for row in stored]


def wrong_question(question: Question) -> str:
    """What is wrong with a question, or ""."""
    if question.kind not in KINDS:
        return _("Choose what kind of answer it takes.")
    if len(question.text) > MOST_TEXT:
        return _("Use at most %(most)d characters.") % {"most": MOST_TEXT}
    if question.kind != "choice":
        return ""
    if len(question.choices) < 2 or len(question.choices) > MOST_CHOICES:
        return _("Write 2 to %(most)d choices, each on its own line.") % {"most": MOST_CHOICES}
    if len(set(question.choices)) < len(question.choices):
        return _("Two choices are the same.")
    if max(map(len, question.choices)) > MOST_CHOICE:
        return _("Use at most %(most)d characters for each choice.") % {"most": MOST_CHOICE}
    return ""


def wrong_answers(questions: Sequence[Question], answers: Mapping[str, str]) -> dict[str, str]:
    """By question, what is wrong with its answer; empty where all can be kept."""
    found = {question.key: _wrong_answer(question, answers.get(question.key, "")) for question in questions}
    return {key: said for key, said in found.items() if said}


def _wrong_answer(question: Question, answer: str) -> str:
    if not answer:
        return _("Please answer this question.") if question.required else ""
    allowed = {"choice": question.choices, "yesno": ["yes", "no"]}.get(question.kind)
    if allowed is not None:
        return "" if answer in allowed else _("Choose one of the answers.")
    if len(answer) > LONGEST[question.kind]:
        return _("Use at most %(most)d characters.") % {"most": LONGEST[question.kind]}
    return ""
