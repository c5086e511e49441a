"""The ``bedside`` command: run it all, run one part, or look after the data."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import NoReturn

from bedside.runtime.errors import CannotStart
from bedside.runtime.place import Place

Options = argparse.Namespace
Command = Callable[[Options], int]


class Parser(argparse.ArgumentParser):
    """Says what is wrong in one sentence, without the whole usage text."""

    def error(self, message: str) -> NoReturn:
        self.exit(2, f"{self.prog}: {message}\n")


def port_number(text: str) -> int:
    if not text.isascii() or not text.isdigit() or not 1 <= int(text) <= 65535:
        raise argparse.ArgumentTypeError(f"{text!r} is not a port number; choose one from 1 to 65535.")
    return int(text)


def day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is not a day; write it as 2026-11-30.") from None


def run(options: Options) -> int:
    from bedside.runtime import supervisor

    return supervisor.run(Place(options.data), port=options.port, empty=options.empty)


def serve(options: Options) -> int:
    from bedside.runtime import web

    web.serve(options.host, options.port)
    return 0


def worker(options: Options) -> int:
    from bedside.runtime.worker import work

    work(grace_seconds=options.grace, alone=options.alone)
    return 0


def migrate(options: Options) -> int:
    from bedside.runtime import prepare
    from bedside.runtime.database import django_for

    with django_for(Place(options.data)):
        prepare.migrate()
        prepare.collect_static()
    print("The database is up to date.")
    return 0


def demo(options: Options) -> int:
    from bedside.runtime import prepare
    from bedside.runtime.database import django_for

    with django_for(Place(options.data)):
        prepare.migrate()
        loaded = prepare.load_demo()
        for role, email, password in prepare.sign_ins()["accounts"]:
            print(f"{role}: {email} {password}")
    print("The demo practice is loaded." if loaded else "There is a practice already; nothing was changed.")
    return 0


def admin(options: Options) -> int:
    from bedside.runtime import prepare
    from bedside.runtime.database import django_for

    with django_for(Place(options.data)):
        prepare.migrate()
        password = prepare.make_admin(options.email)
    print(f"admin: {options.email} {password}")
    return 0


def backup(options: Options) -> int:
    from bedside.runtime import archive

    place = Place(options.data)
    archive.backup(place, options.file)
    print(f"The database is in {options.file}. Keep the keys in {place.data}/secrets.json apart from it.")
    return 0


def restore(options: Options) -> int:
    from bedside.runtime import archive

    archive.restore(Place(options.data), options.file)
    print(f"The database is that of {options.file}.")
    return 0


def check(options: Options) -> int:
    from bedside.runtime.database import django_for

    with django_for(Place(options.data)):
        from bedside.flows import commands

        problems = commands.check()
    for problem in problems:
        print(problem)
    print(f"{len(problems)} problems." if problems else "Every promise holds.")
    return 1 if problems else 0


def rebuild_windows(options: Options) -> int:
    from bedside.runtime.database import django_for

    with django_for(Place(options.data)):
        from bedside.flows import commands

        built, failed = commands.rebuild_all_windows(print)
    print(
        f"The open windows of {built} providers are built." + (f" {failed} failed: see the alerts." if failed else "")
    )
    return 1 if failed else 0


def rotate_keys(options: Options) -> int:
    from bedside.runtime.database import django_for

    with django_for(Place(options.data)):
        from bedside.flows import commands

        changed = commands.rotate_keys(print)
    print(f"{changed} rows are sealed with the present key.")
    return 0


def reconcile(options: Options) -> int:
    from bedside.runtime import money_commands
    from bedside.runtime.database import django_for

    with django_for(Place(options.data)):
        return money_commands.reconcile(options.first, options.last, print)


def signoff(options: Options) -> int:
    from bedside.runtime import money_commands
    from bedside.runtime.database import django_for

    with django_for(Place(options.data)):
        return money_commands.signoff(print)


# name: (what it does, in help; the function; whether it works on a data folder)
COMMANDS: dict[str, tuple[str, Command, bool]] = {
    "run": ("PostgreSQL, the pages and the worker, until Ctrl-C", run, True),
    "serve": ("the pages alone, settings from the environment", serve, False),
    "worker": ("the jobs alone, settings from the environment", worker, False),
    "migrate": ("bring the database and the static files up to date", migrate, True),
    "demo": ("load the demo practice into an empty database", demo, True),
    "admin": ("make an admin, or give one a new password", admin, True),
    "backup": ("write the database to a file", backup, True),
    "restore": ("replace the database by that of a file", restore, True),
    "check": ("verify Bedside's promises in the database", check, True),
    "rebuild-windows": ("work out all open times anew, as after an update of the zones", rebuild_windows, True),
    "signoff": ("may this Bedside serve patients? the specification's checklist", signoff, True),
    "reconcile": ("compare the ledger with the payment processor", reconcile, True),
    "rotate-keys": ("seal personal data under the present key", rotate_keys, True),
}


def parser() -> Parser:
    top = Parser(prog="bedside", description="Telehealth booking for a practice.")
    commands = top.add_subparsers(dest="command", required=True, metavar="COMMAND", parser_class=Parser)
    made: dict[str, argparse.ArgumentParser] = {}
    for name, (what, _, has_data) in COMMANDS.items():
        made[name] = commands.add_parser(name, help=what, description=what, allow_abbrev=False)
        if has_data:
            made[name].add_argument("--data", type=Path, metavar="DIR", help="the data folder (default: var)")
    for name in ("run", "serve"):
        made[name].add_argument("--port", type=port_number, default=8000, metavar="N", help="(default: 8000)")
    made["run"].add_argument("--empty", action="store_true", help="no demo practice")
    made["serve"].add_argument("--host", default="127.0.0.1", help="(default: 127.0.0.1)")
    made["worker"].add_argument("--grace", type=float, default=30.0, metavar="SECONDS", help="for jobs to end")
    made["worker"].add_argument("--alone", action="store_true", help="no other worker shares this database")
    made["admin"].add_argument("email", metavar="EMAIL")
    made["reconcile"].add_argument(
        "--from", dest="first", type=day, metavar="DATE", help="first practice day (default: the last one)"
    )
    made["reconcile"].add_argument(
        "--to", dest="last", type=day, metavar="DATE", help="last practice day (default: yesterday)"
    )
    for name in ("backup", "restore"):
        made[name].add_argument("file", type=Path, metavar="FILE")
    return top


def main(arguments: list[str] | None = None) -> int:
    """Exit status: 0 done, 1 problems found, 2 it can't work like this (one sentence says why)."""
    options = parser().parse_args(arguments)
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "bedside.config.settings")
    try:
        return COMMANDS[options.command][1](options)
    except CannotStart as problem:
        print(problem, file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        return 130
