"""The embedded PostgreSQL starts whatever the last run left behind."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from bedside.runtime.cluster import Cluster
from bedside.runtime.errors import CannotStart, Interrupted
from bedside.runtime.processes import is_alive

QUICK = {"fsync": "off"}


@pytest.fixture(scope="module")
def template() -> Iterator[Path]:
    """A cluster that was made and stopped, to be copied."""
    data = Path(tempfile.mkdtemp(prefix="bedside-cluster-"))
    cluster = Cluster(data, QUICK)
    cluster.start()
    with psycopg.connect(cluster.url) as connection:
        connection.execute("CREATE TABLE kept AS SELECT 1 AS one")
    cluster.stop()
    yield data
    shutil.rmtree(data, ignore_errors=True)


@pytest.fixture
def cluster(template: Path) -> Iterator[Cluster]:
    folder = Path(tempfile.mkdtemp(prefix="bedside-cluster-"))
    shutil.copytree(template, folder / "d", ignore=shutil.ignore_patterns(".s.PGSQL*"))
    made = Cluster(folder / "d", QUICK)
    yield made
    made.stop(5.0)
    shutil.rmtree(folder, ignore_errors=True)


def kept(cluster: Cluster) -> bool:
    with psycopg.connect(cluster.url) as connection:
        return connection.execute("SELECT one FROM kept").fetchone() == (1,)


def test_a_lock_file_that_names_somebody_elses_process_is_no_obstacle(cluster: Cluster) -> None:
    (cluster.folder / "postmaster.pid").write_text(f"{os.getpid()}\n{cluster.folder}\n")

    cluster.start()

    assert kept(cluster)


def test_a_lock_file_of_a_process_that_is_gone_is_no_obstacle(cluster: Cluster) -> None:
    gone = subprocess.Popen(["true"])
    gone.wait()
    (cluster.folder / "postmaster.pid").write_text(f"{gone.pid}\n{cluster.folder}\n")

    cluster.start()

    assert kept(cluster)


def test_a_server_that_outlived_its_supervisor_is_stopped_and_started_again(cluster: Cluster) -> None:
    cluster.start()
    assert cluster.process is not None
    orphan = cluster.process.pid
    another = Cluster(cluster.data, QUICK)
    try:
        another.start()

        assert cluster.process.wait(10) is not None
        assert not is_alive(orphan)
        assert kept(another)
    finally:
        another.stop()


def test_a_postmaster_killed_with_clients_connected_starts_again(cluster: Cluster) -> None:
    cluster.start()
    with psycopg.connect(cluster.url):
        assert cluster.process is not None
        os.kill(cluster.process.pid, signal.SIGKILL)
        cluster.start()

    assert kept(cluster)


def test_a_folder_with_a_long_path_has_its_socket_elsewhere_and_keeps_it(template: Path, tmp_path: Path) -> None:
    data = tmp_path / ("long" * 30)
    shutil.copytree(template, data, ignore=shutil.ignore_patterns(".s.PGSQL*"))
    cluster = Cluster(data, QUICK)
    try:
        cluster.start()

        assert kept(cluster)
        assert cluster.socket.stat().st_mode & 0o777 == 0o700
        assert Cluster(data).socket == cluster.socket
    finally:
        cluster.stop()
        shutil.rmtree(cluster.socket, ignore_errors=True)


def test_a_folder_of_another_major_version_is_refused_in_words(cluster: Cluster) -> None:
    (cluster.folder / "PG_VERSION").write_text("15\n")

    with pytest.raises(CannotStart, match=r"made by PostgreSQL 15.*restore into a new data folder"):
        cluster.start()


def test_an_interrupted_initdb_is_made_anew(tmp_path: Path) -> None:
    cluster = Cluster(tmp_path / "d", QUICK)
    (tmp_path / "d" / "postgres.unfinished").mkdir(parents=True)
    (tmp_path / "d" / "postgres.unfinished" / "PG_VERSION").write_text("18\n")
    try:
        cluster.start()
        with psycopg.connect(cluster.url) as connection:
            assert connection.execute("SELECT current_user").fetchone() == ("bedside",)
    finally:
        cluster.stop()
        shutil.rmtree(cluster.socket, ignore_errors=True)


def test_a_start_can_be_interrupted_and_leaves_no_server(cluster: Cluster) -> None:
    with pytest.raises(Interrupted):
        cluster.start(interrupted=lambda: True)

    assert not cluster.running
