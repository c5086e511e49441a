"""Components of the design system as template tags: ``{% load ui %}``. Shown living at /sandbox/design."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from django import template
from django.contrib.staticfiles import finders
from django.contrib.staticfiles.storage import staticfiles_storage
from django.core.paginator import Page
from django.forms import BoundField, CheckboxInput, Select, Textarea
from django.http import HttpRequest
from django.template.loader import render_to_string
from django.templatetags.static import static
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _

from bedside.clinic.models import Provider
from bedside.core.money import Money, format_money
from bedside.core.phones import as_written
from bedside.web.bundle import BUNDLES

register = template.Library()


@register.simple_tag
def stylesheets() -> SafeString:
    """The house's stylesheet: one file where static files were collected, its parts where they were not."""
    return format_html_join("\n", '<link rel="stylesheet" href="{}">', _files("bedside/site.css"))


@register.simple_tag
def modules(bundle: str = "site") -> SafeString:
    """The house's scripts, likewise; or those of another bundle: ``{% modules "visit" %}``."""
    return format_html_join("\n", '<script src="{}" type="module"></script>', _files(f"bedside/js/{bundle}.js"))


def _files(bundle: str) -> list[tuple[str]]:
    collected = getattr(staticfiles_storage, "hashed_files", {})
    return [(static(path),) for path in ([bundle] if bundle in collected else BUNDLES[bundle])]


LUCIDE = "vendor/lucide-1.62.0"
NOTICE_ICONS = {"note": "info", "good": "circle-check", "warn": "triangle-alert", "bad": "circle-alert"}

# A status is a word and a shape; the colour only helps. Spelled as in the code, the database, the API and the docs.
STATUSES: Mapping[str, tuple[Any, str, str]] = {
    "opted_out": (_("No texts"), "warn", "circle-x"),
    "finished": (_("Finished"), "good", "circle-check"),
    "stopped": (_("Canceled"), "warn", "circle-x"),
    "done": (_("Done"), "good", "circle-check"),
    "skipped": (_("Skipped"), "", "minus"),
    "waiting": (_("Waiting"), "", "clock"),
    "under_way": (_("Under way"), "", "hourglass"),
    "whole": (_("Complete"), "good", "circle-check"),
    "broken_off": (_("Broken off"), "warn", "circle-alert"),
    "draft": (_("Draft"), "", "circle-dashed"),
    "pending_payment": (_("Waiting for payment"), "warn", "hourglass"),
    "paid": (_("Paid"), "good", "circle-check"),
    "canceled": (_("Canceled"), "bad", "circle-x"),
    "rescheduled": (_("Moved"), "note", "calendar-clock"),
    "completed": (_("Completed"), "good", "check"),
    "no_show": (_("No-show"), "warn", "user-x"),
    "expired": (_("Expired"), "", "calendar-x"),
    "initiated": (_("Started"), "", "circle-dashed"),
    "succeeded": (_("Succeeded"), "good", "circle-check"),
    "refunded": (_("Refunded"), "note", "undo-2"),
    "failed": (_("Failed"), "bad", "circle-alert"),
    "pending": (_("Pending"), "warn", "hourglass"),
    "queued": (_("Queued"), "", "clock"),
    "sent": (_("Sent"), "note", "check"),
    "delivered": (_("Delivered"), "good", "circle-check"),
    "withdrawn": (_("Withdrawn"), "", "ban"),
    "ready": (_("Ready"), "good", "video"),
    "deleted": (_("Deleted"), "", "ban"),
    "needs_response": (_("Needs an answer"), "bad", "circle-alert"),
    "under_review": (_("With the bank"), "warn", "hourglass"),
    "won": (_("Won"), "good", "circle-check"),
    "lost": (_("Lost"), "bad", "circle-x"),
    "warning_needs_response": (_("The bank asks"), "warn", "circle-alert"),
    "warning_under_review": (_("Asked by the bank"), "", "hourglass"),
    "warning_closed": (_("Question closed"), "", "circle-check"),
    "prevented": (_("Prevented"), "good", "circle-check"),
    "in_transit": (_("On its way"), "", "clock"),
    "balanced": (_("Agrees"), "good", "circle-check"),
    "mismatched": (_("Differs"), "warn", "triangle-alert"),
    "running": (_("Under way"), "", "hourglass"),
    "active": (_("Active"), "good", "circle-check"),
    "inactive": (_("Inactive"), "", "ban"),
}


@lru_cache(maxsize=1)
def _patient_icons() -> frozenset[str]:
    """Names in the small sprite that the patient's pages load; every other icon is in the staff sprite."""
    path = finders.find(f"{LUCIDE}/icons.svg")
    if not path:
        return frozenset()
    with open(path, encoding="utf-8") as sprite:  # noqa: PTH123 - finders give a plain string
        return frozenset(re.findall(r'<symbol id="([^"]+)"', sprite.read()))


@register.simple_tag
def icon(name: str, size: str = "", label: str = "") -> SafeString:
    """``{% icon "calendar" %}``; sizes sm, lg, xl. Hidden from screen readers unless it has a label."""
    return _drawn(name, size, str(label))


@lru_cache(maxsize=512)
def _drawn(name: str, size: str, label: str) -> SafeString:
    """A page has dozens of icons, and always the same."""
    sprite = "icons.svg" if name in _patient_icons() else "icons-desk.svg"
    spoken = format_html('role="img" aria-label="{}"', label) if label else SafeString('aria-hidden="true"')
    return format_html(
        '<svg class="icon{}" {}><use href="{}#{}"/></svg>',
        f" icon--{size}" if size else "",
        spoken,
        static(f"{LUCIDE}/{sprite}"),
        name,
    )


@register.simple_tag
def badge(word: str, kind: str = "", shape: str = "circle-dot") -> SafeString:
    """``{% badge "Waiting" kind="warn" shape="hourglass" %}``; kinds good, warn, bad, note, or none."""
    return format_html('<span class="badge{}">{}{}</span>', f" badge--{kind}" if kind else "", icon(shape), word)


@register.simple_tag
def status_badge(status: str) -> SafeString:
    """A badge for any status value of an appointment, payment, refund, message or meeting."""
    word, kind, shape = STATUSES.get(str(status), (str(status).replace("_", " ").capitalize(), "", "circle-dot"))
    return badge(word, kind=kind, shape=shape)


@register.filter
def status_word(status: str) -> str:
    """The word that ``status_badge`` shows."""
    return str(STATUSES.get(str(status), (str(status).replace("_", " ").capitalize(),))[0])


@register.simple_tag
def money(minor_units: int, currency: str) -> str:
    """``{% money service.price_minor service.currency %}`` → $85.00."""
    return format_money(Money(minor_units, currency))


@register.simple_block_tag
def notice(content: str, kind: str = "note", title: str = "", role: str = "") -> str:
    """``{% notice "warn" title="..." %}<p>…</p>{% endnotice %}``; kinds note, good, warn, bad; role alert or status."""
    context = {"content": content, "kind": kind, "title": title, "role": role, "shape": NOTICE_ICONS[kind]}
    return render_to_string("components/notice.html", context)


@register.simple_block_tag
def dialog(content: str, id: str, title: str, label: str = "") -> str:
    """A native <dialog>, opened by ``<button data-dialog="id">``: ``{% dialog "id" title %}…{% enddialog %}``."""
    return render_to_string("components/dialog.html", {"content": content, "id": id, "title": title, "label": label})


@register.simple_block_tag
def panel(content: str, id: str, title: str, close_url: str = "") -> str:
    """A side panel. With ``close_url`` it is open on arrival and closing it goes there (each panel has its own URL)."""
    context = {"content": content, "id": id, "title": title, "close_url": close_url}
    return render_to_string("components/panel.html", context)


@register.inclusion_tag("components/empty.html")
def empty_state(shape: str, title: str, text: str = "", url: str = "", action: str = "") -> dict[str, str]:
    """What would be here and how to get there: ``{% empty_state "inbox" "No messages yet" "They…" url action %}``."""
    return {"shape": shape, "title": title, "text": text, "url": url, "action": action}


@register.inclusion_tag("components/avatar.html")
def avatar(provider: Provider, size: str = "") -> dict[str, Any]:
    """A provider's drawn picture, or initials where there is none; decorative, since the name stands beside it."""
    words = [word for word in provider.name.split() if word[0].isalpha() and not word.endswith(".")]
    initials = "".join(word[0] for word in (words[:1] + words[-1:] if len(words) > 1 else words))
    return {"picture": provider.avatar, "initials": initials.upper(), "size": size}


@register.inclusion_tag("components/field.html")
def field(bound: BoundField, help: str = "", optional: bool = False) -> dict[str, Any]:
    """Label, help, control and error of a form field, tied together for screen readers: ``{% field form.email %}``."""
    widget = bound.field.widget
    return {
        "field": bound,
        "help": help or bound.help_text,
        "optional": optional,
        "control": control(bound, helped=bool(help or bound.help_text)),
        "is_check": isinstance(widget, CheckboxInput),
        "is_wide": isinstance(widget, (Select, Textarea)),
    }


@register.simple_tag
def control(bound: BoundField, helped: bool = False) -> str:
    """The bare control of a field whose label, help (``…-help``) and error (``…-error``) stand around it by hand."""
    parts = [name for name, there in (("help", helped), ("error", bound.errors)) if there]
    attributes: dict[str, str | bool] = {
        "class": "tick" if isinstance(bound.field.widget, CheckboxInput) else "input",
        "aria-describedby": " ".join(f"{bound.id_for_label}-{part}" for part in parts),
    }
    return bound.as_widget(attrs={name: value for name, value in attributes.items() if value})


@register.inclusion_tag("components/error_summary.html")
def error_summary(form: Any) -> dict[str, Any]:
    """Every error of a form in one place that takes focus, each a link to its field."""
    return {"form": form, "fields": [bound for bound in form if bound.errors]}


@register.inclusion_tag("components/pagination.html", takes_context=True)
def pagination(context: template.Context, page: Page[Any]) -> dict[str, Any]:
    """Say "21 to 40 of 312", with links that keep the rest of the query: ``{% pagination page_obj %}``."""
    return {"page": page, "request": context.get("request")}


@register.inclusion_tag("components/timeline.html")
def timeline(entries: Any) -> dict[str, Any]:
    """What happened: each entry has ``title``, and may have ``shape``, ``line`` (second line) and ``when``."""
    return {"entries": entries}


@register.simple_tag(takes_context=True)
def theme(context: template.Context) -> str:
    """The theme that the person chose ("light" or "dark"), or nothing: then the system's choice holds."""
    request: HttpRequest | None = context.get("request")
    chosen = request.COOKIES.get("theme", "") if request else ""
    return chosen if chosen in {"light", "dark"} else ""


@register.filter
def phone(number: str) -> str:
    """Write "(202) 555-0143" for +12025550143 in the practice's own country, else the international form."""
    return as_written(number)
