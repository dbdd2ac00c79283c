"""The server of our tests can be killed and comes back."""

from __future__ import annotations

from pathlib import Path

import clickhouse_connect

from tests.clickhouse_server import clickhouse_server


def test_a_killed_server_comes_back_on_its_port_with_its_data(tmp_path: Path) -> None:
    """`kill -9` and a start on the same folder and port: the rows are there."""
    with clickhouse_server(tmp_path, writable=True) as server:
        client = clickhouse_connect.get_client(host="127.0.0.1", port=server.port)
        client.command("CREATE TABLE t (a UInt8) ENGINE = MergeTree ORDER BY a")
        client.insert("t", [[1], [2]], column_names=["a"])
        port, pid = server.port, server.pid
        server.kill()
        assert not client.ping()
        server.start()
        assert (server.port, server.pid != pid) == (port, True)
        assert client.command("SELECT sum(a) FROM t") == 3
        client.close()
