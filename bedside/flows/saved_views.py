"""Filters that people keep under a name: for themselves, or for everybody at the desk."""

from __future__ import annotations

from django.db import IntegrityError, transaction
from django.db.models import Q, QuerySet
from django.utils.translation import gettext as _

from bedside.accounts.models import User
from bedside.core import audit
from bedside.core.audit import Actor
from bedside.core.errors import PermissionRefused
from bedside.reports.models import SavedView

MOST = 50


class NameRefused(ValueError):
    """A name that can't be given; says why."""


def of(user: User) -> QuerySet[SavedView]:
    """The person's own and those that everybody has, by name."""
    return SavedView.objects.filter(Q(owner=user) | Q(owner=None)).order_by("name", "pk")


def save(*, name: str, query: str, shared: bool, user: User, actor: Actor) -> SavedView:
    """Keep ``query`` under a name. Raises NameRefused, PermissionRefused."""
    _check_may(actor)
    owner = None if shared else user
    if SavedView.objects.filter(owner=owner).count() >= MOST:
        raise NameRefused(_("There are %(most)d views already. Delete one that nobody needs.") % {"most": MOST})
    return _write(SavedView(owner=owner, query=query), name, actor, "view.saved")


def rename(*, view: SavedView, name: str, actor: Actor) -> SavedView:
    """Raises NameRefused, PermissionRefused."""
    _check_may(actor)
    return _write(view, name, actor, "view.renamed")


def delete(*, view: SavedView, actor: Actor) -> None:
    """The name goes; appointments aren't touched. Raises PermissionRefused."""
    _check_may(actor)
    with transaction.atomic():
        audit.record(actor, "view.deleted", view, before=_said(view))
        view.delete()


def _write(view: SavedView, name: str, actor: Actor, action: str) -> SavedView:
    name = " ".join(name.split())
    if not name or len(name) > 60 or not name.isprintable():
        raise NameRefused(_("Give it a name of at most 60 characters."))
    before = _said(view) if view.pk else None
    view.name = name
    try:
        with transaction.atomic():
            view.save()
            audit.record(actor, action, view, before=before, after=_said(view))
    except IntegrityError as error:
        raise NameRefused(_("There is a view of this name already.")) from error
    return view


def _said(view: SavedView) -> dict[str, object]:
    return {"name": view.name, "query": view.query, "shared": view.owner_id is None}


def _check_may(actor: Actor) -> None:
    if actor.kind != "admin":
        raise PermissionRefused
