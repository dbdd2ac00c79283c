"""The store's URL, its connections, and whose fault a failure is."""

from __future__ import annotations

import gc
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from clickhouse_connect.driver.client import Client

from farthing.collector.store.client import Address, Away, Refused, Store
from farthing.errors import ConfigError, StoreUnavailable


@pytest.mark.parametrize(
    ("url", "address"),
    [
        ("chdb:///var/lib/a%20b", Address(path=Path("/var/lib/a b"))),
        ("clickhouse://db", Address(host="db", port=8123)),
        ("clickhouse://db/", Address(host="db", port=8123)),
        ("clickhouses://db", Address(host="db", port=8443, secure=True)),
        (
            "clickhouse://me:p%40ss%2Fword@db.example:9000/money",
            Address(None, "db.example", 9000, "me", "p@ss/word", "money"),
        ),
        ("clickhouse://[::1]:8124/x", Address(host="::1", port=8124, database="x")),
    ],
)
def test_a_url_names_a_store(url: str, address: Address) -> None:
    """The parts of a URL, decoded, with ClickHouse's ports and our database else."""
    assert Address.parse(url) == address


@pytest.mark.parametrize(
    "url",
    [
        "",
        "chdb://relative/path",
        "chdb:///",
        "http://db:8123",
        "clickhouse://",
        "clickhouse://db:port/x",
        "clickhouse://db:0/x",
        "clickhouse://db/my-ledger",
        "clickhouse://db/x/y",
        "clickhouse://[::1",
    ],
)
def test_a_url_that_is_not_understood_says_what_is(url: str) -> None:
    """Any other URL is an error that shows the two forms that are understood."""
    with pytest.raises(
        ConfigError, match=r"use chdb:///absolute/path or clickhouse://"
    ):
        Address.parse(url)


def test_no_message_shows_the_password() -> None:
    """The password is in no error and in no address that is shown."""
    with pytest.raises(ConfigError) as refused:
        Address.parse("clickhouse://me:secret@db:port/x")
    assert "secret" not in str(refused.value)
    assert (
        str(Address.parse("clickhouse://me:secret@db/x")) == "clickhouse://me@db:8123/x"
    )


def test_what_the_store_does_not_take_is_refused(store: Store) -> None:
    """A statement that cannot be right is refused with ClickHouse's code and reason."""
    with pytest.raises(Refused, match="SYNTAX_ERROR") as refused:
        store.command("SELEKT 1")
    assert refused.value.code == 62


def test_what_the_store_cannot_do_now_may_be_tried_again(store: Store) -> None:
    """A table that is missing may come, so asking again may help."""
    with pytest.raises(StoreUnavailable) as away:
        store.rows("SELECT * FROM not_yet")
    assert isinstance(away.value, Away)
    assert away.value.code == 60


def test_what_a_query_gave_before_it_failed_is_in_no_later_answer(
    store: Store,
) -> None:
    """A query that fails in the middle has given rows already: the thread's next answer
    is its own alone."""
    fails = """
        SELECT number AS n, throwIf(number = 100000) AS no FROM numbers(200000)
        SETTINGS max_threads = 1, max_block_size = 1000
    """
    asked = "SELECT toUInt64(7) AS n, toUInt8(0) AS no"
    with pytest.raises(Refused):
        store.rows(fails)
    assert store.rows(asked) == [{"n": 7, "no": 0}]
    with pytest.raises(Refused):
        store.raw(fails, fmt="JSONEachRow")
    assert store.raw(asked, fmt="JSONEachRow") == b'{"n":7,"no":0}\n'


def test_rows_go_in_as_they_come_out(new_store: Store) -> None:
    """Numbers beyond floats, arrays, quotes and lines survive an insert."""
    new_store.create_database()
    new_store.command(
        "CREATE TABLE t (a UInt64, b String, c Array(Int64), d DateTime('UTC'), e Bool)"
        " ENGINE = Memory"
    )
    row = [2**64 - 1, 'it\'s \\ "quoted"\nü', [-(2**63), 0], 1_790_000_000, True]
    new_store.insert("t", ["a", "b", "c", "d", "e"], [row])
    [found] = new_store.rows("SELECT a, b, c, toUnixTimestamp(d) AS d, e FROM t")
    assert list(found.values()) == row


def _opens(folder: Path) -> subprocess.CompletedProcess[str]:
    """Opens the ledger in a process of its own."""
    program = (
        "import sys; from farthing.collector.store.client import Address, Store\n"
        "store = Store(Address.parse('chdb://' + sys.argv[1])); store.version()\n"
        "print('open', *sorted({'pyarrow', 'pandas', 'numpy'} & sys.modules.keys()))\n"
        "import pyarrow"
    )
    return subprocess.run(
        [sys.executable, "-c", program, str(folder)],
        capture_output=True,
        text=True,
        check=False,
    )


def test_a_folder_that_another_process_has_open(
    store: Store, engine_folder: Path
) -> None:
    """A second process that opens a ledger is told which folder, and what to do."""
    store.command("SELECT 1")
    said = _opens(engine_folder)
    assert said.stdout == ""
    assert "farthing.errors.ConfigError" in said.stderr
    assert f"the ledger in {engine_folder} cannot be opened" in said.stderr
    assert "Stop the other process, or choose another folder" in said.stderr


def test_an_open_ledger_has_not_imported_arrow(tmp_path: Path) -> None:
    """Nobody pays for pyarrow to open a ledger, and who wants it can still have it."""
    said = _opens(tmp_path / "ledger")
    assert said.stdout == "open\n"
    assert said.returncode == 0, said.stderr


def test_a_folder_that_cannot_be_made(tmp_path: Path) -> None:
    """A file where the folder should be is the operator's to fix."""
    (tmp_path / "file").touch()
    with pytest.raises(ConfigError, match="file/ledger cannot be opened"):
        Store(Address(path=tmp_path / "file" / "ledger")).version()


def _open_clients() -> int:
    gc.collect()
    return sum(isinstance(found, Client) for found in gc.get_objects())


def test_a_connection_ends_with_its_thread(new_store: Store) -> None:
    """Threads that come and go leave no connection behind."""
    new_store.create_database()
    before = _open_clients()
    for _ in range(3):
        threads = [
            threading.Thread(target=new_store.rows, args=("SELECT 1",))
            for _ in range(8)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert _open_clients() == before


def test_many_threads_ask_at_once(store: Store) -> None:
    """Each thread gets its own answers."""
    found: dict[int, int] = {}

    def ask(number: int) -> None:
        for _ in range(5):
            [row] = store.rows(f"SELECT {number} AS n FROM numbers(1)")
            found[number] = found.get(number, 0) + row["n"]

    threads = [threading.Thread(target=ask, args=(n,)) for n in range(24)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == {n: 5 * n for n in range(24)}


@pytest.fixture
def waiting() -> Iterator[threading.Event]:
    event = threading.Event()
    yield event
    event.set()


def test_a_closed_store_answers_no_thread(
    new_store: Store, waiting: threading.Event
) -> None:
    """After closing, a thread with a connection and one without are told so alike."""
    new_store.create_database()
    asked = threading.Event()
    errors: list[BaseException] = []

    def ask() -> None:
        new_store.rows("SELECT 1")
        asked.set()
        waiting.wait()
        try:
            new_store.rows("SELECT 1")
        except StoreUnavailable as error:
            errors.append(error)

    thread = threading.Thread(target=ask)
    thread.start()
    asked.wait()
    new_store.close()
    waiting.set()
    thread.join()
    with pytest.raises(StoreUnavailable, match="closed"):
        new_store.rows("SELECT 1")
    assert ["closed" in str(error) for error in errors] == [True]


def test_a_store_that_is_read_only_writes_nothing(
    new_store: Store, engine_folder: Path
) -> None:
    """A store that is opened for reading answers questions and takes no rows."""
    new_store.create_database()
    new_store.command("CREATE TABLE t (a Int8) ENGINE = Memory")
    reader = Store(new_store.address, writes=False)
    assert reader.rows("SELECT count() AS n FROM t") == [{"n": 0}]
    with pytest.raises(StoreUnavailable, match="READONLY"):
        reader.insert("t", ["a"], [[1]])
    reader.close()
