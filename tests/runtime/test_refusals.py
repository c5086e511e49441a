"""What keeps Bedside from starting is told in one sentence, with exit status 2."""

from __future__ import annotations

import os
import socket
import subprocess
from pathlib import Path

import pytest

from bedside.runtime.external import problem_with
from tests.runtime.running import Running, bedside, free_port


def assert_refused(done: subprocess.CompletedProcess[str], *words: str) -> None:
    assert done.returncode == 2, done.stderr
    assert len(done.stderr.strip().splitlines()) == 1, done.stderr
    assert "Traceback" not in done.stderr
    for word in words:
        assert word in done.stderr
    assert done.stdout == ""


def test_a_port_in_use(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]

        assert_refused(bedside("run", "--data", tmp_path / "d", "--port", port), f"Port {port} is in use", "--port")


@pytest.mark.parametrize("port", ["0", "65536", "-1", "eighty", "80.5", ""])
def test_a_port_that_is_none(tmp_path: Path, port: str) -> None:
    assert_refused(bedside("run", "--data", tmp_path / "d", f"--port={port}"), "not a port number")


def test_a_data_folder_that_is_a_file(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("mine")

    assert_refused(bedside("run", "--data", tmp_path / "file", "--port", free_port()), "is not a folder")


def test_a_data_folder_that_cant_be_written() -> None:
    assert_refused(bedside("run", "--data", "/proc/bedside", "--port", free_port()), "can't be written")


def test_a_folder_with_somebodys_files_is_not_taken_over(tmp_path: Path) -> None:
    tmp_path.chmod(0o755)
    (tmp_path / "holiday.jpg").write_text("mine")

    assert_refused(bedside("run", "--data", tmp_path, "--port", free_port()), "holds other files")
    assert os.stat(tmp_path).st_mode & 0o777 == 0o755  # noqa: PTH116


def test_a_data_folder_that_is_already_in_use(running: Running) -> None:
    refused = bedside("run", "--data", running.data, "--port", free_port())

    assert running.process is not None
    assert_refused(refused, "already running", str(running.process.pid))
    assert running.answers()


def test_a_database_that_cant_be_reached(tmp_path: Path) -> None:
    url = f"postgresql://bedside@127.0.0.1:{free_port()}/bedside"

    refused = bedside("run", "--data", tmp_path / "d", "--port", free_port(), DATABASE_URL=url)

    assert_refused(refused, "DATABASE_URL can't be reached")


def test_a_postgresql_that_is_too_old_or_lacks_an_extension_is_refused_in_words() -> None:
    assert problem_with(140011, has_extension=True) == (
        "The PostgreSQL at DATABASE_URL is 14.11, and Bedside needs 15 or later."
    )
    assert "btree_gist" in problem_with(160001, has_extension=False)
    assert problem_with(150000, has_extension=True) == ""
