"""The only tag that edited words know. No load, no include, no filters: nothing that reaches beyond the message."""

from __future__ import annotations

from django.template import Library
from django.template.defaulttags import do_if

register = Library()
register.tag("if", do_if)
