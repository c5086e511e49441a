"""Contact details stay hidden until a button is pressed: it is recorded, and holds for the page that answers.

A page that follows live fetches itself again; a signed pass, good for this person, record and quarter of an hour, keeps
what was revealed on it open. It is in no address that the browser keeps.
"""

from __future__ import annotations

from datetime import timedelta

from django.core import signing
from django.db.models import Model
from django.http import HttpRequest

from bedside.core import clock

SALT = "bedside.revealed"
GOOD_FOR = timedelta(minutes=15)


def pass_for(request: HttpRequest, subject: Model) -> str:
    until = int((clock.now() + GOOD_FOR).timestamp())
    return signing.dumps([_key(subject), request.user.pk, until], salt=SALT, compress=False)


def held_pass(request: HttpRequest, subject: Model) -> str:
    """The pass that a page's refresh brings along, where it is this person's, for this record, and still good."""
    brought = request.GET.get("shown", "")
    try:
        key, user_id, until = signing.loads(brought, salt=SALT)
    except (signing.BadSignature, ValueError, TypeError):
        return ""
    is_good = key == _key(subject) and user_id == request.user.pk and until > clock.now().timestamp()
    return brought if is_good else ""


def _key(subject: Model) -> str:
    return f"{subject._meta.model_name}:{subject.pk}"
