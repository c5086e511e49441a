"""The database for a single command: the operator's, that of a running Bedside, or one started for the moment."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager

from bedside.runtime.cluster import Cluster
from bedside.runtime.external import check_server
from bedside.runtime.place import Place


@contextmanager
def database(place: Place) -> Iterator[str]:
    """The address of the database, usable inside the ``with``. Raises CannotStart."""
    given = os.environ.get("DATABASE_URL")
    if given:
        check_server(given)
        yield given
        return
    cluster = Cluster(place.data)
    if place.in_use:
        yield cluster.url
        return
    place.claim()
    try:
        yield cluster.start()
    finally:
        cluster.stop()
        place.release()


@contextmanager
def django_for(place: Place) -> Iterator[None]:
    """Django set up on that database."""
    with database(place) as url:
        os.environ |= place.environment(url)
        import django

        django.setup()
        try:
            yield
        finally:
            from django.db import connections

            connections.close_all()
            for alias in connections:
                close_pool = getattr(connections[alias], "close_pool", None)
                if close_pool is not None:
                    close_pool()
