"""What a read-only statement may be: tables of both kinds, and random disguises."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.web.conftest import Wire

NOT_READING = 164
NOT_SERVED = 497
NO_SYNTAX = 62

ALLOWED = [
    "SELECT 1",
    "select 1;",
    "/* why */ SELECT 1 -- because",
    "(SELECT 1)",
    "FROM spans SELECT count()",
    "SELECT count() FROM spans",
    "SELECT * FROM ledger.spans WHERE id < 3 FORMAT JSON",
    "SELECT * FROM models ORDER BY cost DESC LIMIT 1",
    "WITH t AS (SELECT id FROM spans) SELECT count() FROM t",
    (
        "WITH RECURSIVE t AS (SELECT 1 AS n UNION ALL SELECT n + 1 FROM t WHERE n < 5) "
        "SELECT sum(n) FROM t"
    ),
    "SELECT 1 UNION ALL SELECT 2",
    "SELECT 1 INTERSECT SELECT 1",
    "SELECT id IN (SELECT id FROM spans), 3 IN (1, 2, 3) FROM spans",
    (
        "SELECT model, quantile(0.5)(cost), sumIf(cost, id > 3), uniq(id) FROM spans "
        "GROUP BY model WITH TOTALS"
    ),
    "SELECT sum(cost) OVER (PARTITION BY model ORDER BY id) FROM spans",
    "SELECT arrayMap(x -> x + 1, [1, 2]), arrayMap(length, ['a'])",
    "SELECT * APPLY(toString) FROM spans",
    "SELECT dictGet('ledger.names', 'model', toUInt64(3))",
    "SELECT dictGet(names, 'model', toUInt64(3))",
    "SELECT * FROM numbers(3) AS a, generate_series(1, 2) AS b, values('x Int8', 1) c",
    "SELECT * FROM view(SELECT 1)",
    "SELECT * FROM spans ARRAY JOIN mapKeys(tags) AS k",
    (
        "SELECT toStartOfInterval(at, INTERVAL 5 MINUTE) AS t, count() FROM spans "
        "GROUP BY t ORDER BY t WITH FILL"
    ),
    "SELECT version(), timezone(), currentDatabase(), displayName(), revision()",
    "SELECT name, value, readonly FROM system.settings LIMIT 10000",
    "SELECT name FROM system.functions",
    "SELECT table_name FROM information_schema.tables",
    "SELECT 1 SETTINGS max_threads = 1, max_execution_time = 2",
    "SELECT 'DROP TABLE spans; SYSTEM SHUTDOWN'",
    "SELECT 1 AS `file`",
    "SHOW TABLES",
    "SHOW DATABASES",
    "SHOW TABLES FROM ledger LIKE 's%'",
    "SHOW COLUMNS FROM spans",
    "SHOW CREATE TABLE ledger.spans",
    "SHOW FUNCTIONS",
    "DESCRIBE TABLE spans",
    'DESC TABLE "ledger"."spans"',
    "DESCRIBE (SELECT 1 AS a)",
    "EXISTS TABLE spans",
    "EXPLAIN SELECT count() FROM spans",
    "EXPLAIN indexes = 1 SELECT count() FROM spans WHERE id = 3",
    "EXPLAIN AST SELECT 1",
    "EXPLAIN SYNTAX SELECT 1",
    "EXPLAIN PIPELINE SELECT 1",
    "EXPLAIN ESTIMATE SELECT count() FROM spans",
]

HOSTILE = [
    # writing, in any form
    ("INSERT INTO spans (id) VALUES (1)", NOT_READING),
    ("INSERT INTO spans (id) SELECT 1", NOT_READING),
    ("INSERT INTO FUNCTION file('x.csv') SELECT 1", NOT_READING),
    ("CREATE TABLE x (a Int8) ENGINE = Memory", NOT_READING),
    ("CREATE TEMPORARY TABLE x (a Int8)", NOT_READING),
    ("CREATE FUNCTION f AS x -> x", NOT_READING),
    ("CREATE OR REPLACE VIEW v AS SELECT 1", NOT_READING),
    ("CREATE USER eve", NOT_READING),
    ("GRANT ALL ON *.* TO default", NOT_READING),
    ("ALTER TABLE spans DELETE WHERE 1", NOT_READING),
    ("DELETE FROM spans WHERE 1", NOT_READING),
    ("UPDATE spans SET cost = 0 WHERE 1", NOT_READING),
    ("TRUNCATE TABLE spans", NOT_READING),
    ("DROP TABLE spans", NOT_READING),
    ("UNDROP TABLE spans", NOT_READING),
    ("DETACH TABLE spans", NOT_READING),
    ("ATTACH TABLE spans", NOT_READING),
    ("RENAME TABLE spans TO x", NOT_READING),
    ("EXCHANGE TABLES spans AND models", NOT_READING),
    ("OPTIMIZE TABLE spans FINAL", NOT_READING),
    ("CHECK TABLE spans", NOT_READING),
    ("BACKUP TABLE spans TO File('x')", NOT_READING),
    ("RESTORE TABLE spans FROM File('x')", NOT_READING),
    # the server itself
    ("SYSTEM SHUTDOWN", NOT_READING),
    ("SYSTEM STOP MERGES", NOT_READING),
    ("KILL QUERY WHERE 1", NOT_READING),
    ("SET readonly = 0", NOT_READING),
    ("USE secret", NOT_READING),
    ("BEGIN TRANSACTION", NOT_READING),
    ("EXECUTE AS default SELECT 1", NOT_READING),
    ("SHOW PROCESSLIST", NOT_READING),
    ("SHOW GRANTS", NOT_READING),
    ("SHOW CREATE USER default", NOT_READING),
    ("SHOW CLUSTERS", NOT_SERVED),
    ("SHOW FILESYSTEM CACHES", NOT_SERVED),
    ("EXPLAIN INSERT INTO spans (id) SELECT 1", NOT_READING),
    ("EXPLAIN TABLE OVERRIDE mysql('') COLUMNS (a Int8)", NOT_READING),
    # more than one statement
    ("SELECT 1; DROP TABLE spans", NO_SYNTAX),
    ("SELECT 1;; SELECT 2", NO_SYNTAX),
    ("SELECT 1 PARALLEL WITH DROP TABLE spans", NOT_READING),
    # files, programs and the network
    ("SELECT 1 INTO OUTFILE '/tmp/out'", NOT_READING),
    ("(SELECT 1) INTO OUTFILE '/tmp/out'", NOT_READING),
    ("EXPLAIN SELECT 1 INTO OUTFILE '/tmp/out'", NOT_READING),
    ("SHOW TABLES INTO OUTFILE '/tmp/out'", NOT_READING),
    ("SELECT * FROM file('/etc/passwd', 'LineAsString')", NOT_SERVED),
    ("SELECT * FROM `file`('/etc/passwd')", NOT_SERVED),
    ("SELECT * FROM \"FILE\"('/etc/passwd')", NOT_SERVED),
    ("SELECT * FROM fi/**/le('/etc/passwd')", NO_SYNTAX),
    ("SELECT file('/etc/passwd')", NOT_SERVED),
    ("SELECT arrayMap(file, ['/etc/passwd'])", NOT_SERVED),
    ("WITH file AS f SELECT arrayMap(f, ['/etc/passwd'])", NOT_SERVED),
    ("SELECT * APPLY(file) FROM (SELECT '/etc/passwd')", NOT_SERVED),
    ("SELECT * APPLY(x -> file(x)) FROM (SELECT '/etc/passwd')", NOT_SERVED),
    ("SELECT * REPLACE(file('/etc/passwd') AS a) FROM (SELECT 1 AS a)", NOT_SERVED),
    ("SELECT 1 IN (SELECT * FROM file('/etc/passwd'))", NOT_SERVED),
    ("SELECT 1 LIMIT length(file('/etc/passwd'))", NOT_SERVED),
    ("WITH t AS (SELECT * FROM url('http://127.0.0.1:1')) SELECT 1", NOT_SERVED),
    ("EXPLAIN SELECT * FROM file('/etc/passwd')", NOT_SERVED),
    ("EXPLAIN AST SELECT * FROM file('/etc/passwd')", NOT_SERVED),
    ("SELECT * FROM (EXPLAIN SELECT * FROM file('/etc/passwd'))", NOT_SERVED),
    ("DESCRIBE file('/etc/passwd')", NOT_READING),
    ("DESCRIBE (SELECT * FROM file('/etc/passwd'))", NOT_SERVED),
    ("SELECT * FROM view(SELECT * FROM file('/etc/passwd'))", NOT_SERVED),
    ("SELECT * FROM url('http://127.0.0.1:1', 'CSV')", NOT_SERVED),
    ("SELECT * FROM remote('127.0.0.1', system.one)", NOT_SERVED),
    ("SELECT * FROM remoteSecure('127.0.0.1', system.one)", NOT_SERVED),
    ("SELECT * FROM cluster('default', system.one)", NOT_SERVED),
    ("SELECT * FROM clusterAllReplicas('default', system.one)", NOT_SERVED),
    ("SELECT * FROM s3('http://127.0.0.1:1/b/k')", NOT_SERVED),
    ("SELECT * FROM gcs('http://127.0.0.1:1/b/k')", NOT_SERVED),
    ("SELECT * FROM hdfs('hdfs://127.0.0.1:1/x', 'CSV')", NOT_SERVED),
    ("SELECT * FROM azureBlobStorage('x', 'y', 'z')", NOT_SERVED),
    ("SELECT * FROM iceberg('http://127.0.0.1:1/b')", NOT_SERVED),
    ("SELECT * FROM deltaLake('http://127.0.0.1:1/b')", NOT_SERVED),
    ("SELECT * FROM mysql('127.0.0.1:1', 'd', 't', 'u', 'p')", NOT_SERVED),
    ("SELECT * FROM postgresql('127.0.0.1:1', 'd', 't', 'u', 'p')", NOT_SERVED),
    ("SELECT * FROM mongodb('127.0.0.1:1', 'd', 'c', 'u', 'p', 'a Int8')", NOT_SERVED),
    ("SELECT * FROM redis('127.0.0.1:1', 'k', 'k String')", NOT_SERVED),
    ("SELECT * FROM sqlite('x.db', 't')", NOT_SERVED),
    ("SELECT * FROM jdbc('x', 't')", NOT_SERVED),
    ("SELECT * FROM odbc('x', 't')", NOT_SERVED),
    ("SELECT * FROM executable('x.sh', 'TSV', 'a Int8')", NOT_SERVED),
    ("SELECT * FROM Python(os)", NOT_SERVED),
    ("SELECT * FROM eval('SELECT 1')", NOT_SERVED),
    ("SELECT * FROM input('a Int8')", NOT_SERVED),
    ("SELECT * FROM format(CSV, '1')", NOT_SERVED),
    ("SELECT * FROM loop(spans)", NOT_SERVED),
    ("SELECT * FROM merge('secret', '.*')", NOT_SERVED),
    ("SELECT * FROM mergeTreeIndex('secret', 't')", NOT_SERVED),
    ("SELECT * FROM dictionary('secret.d')", NOT_SERVED),
    ("SELECT aiGenerate('x')", NOT_SERVED),
    # waiting and looking around
    ("SELECT sleep(3)", NOT_SERVED),
    ("SELECT SLEEPEACHROW(3) FROM numbers(10)", NOT_SERVED),
    ("SELECT getServerSetting('max_connections')", NOT_SERVED),
    ("SELECT getOSKernelVersion()", NOT_SERVED),
    ("SELECT getClientHTTPHeader('Authorization')", NOT_SERVED),
    ("SELECT showCertificate()", NOT_SERVED),
    ("SELECT filesystemAvailable()", NOT_SERVED),
    ("SELECT demangle('x')", NOT_SERVED),
    # databases and system tables that are not served
    ("SELECT * FROM secret.t", NOT_SERVED),
    ("SELECT * FROM `secret`.`t`", NOT_SERVED),
    ("SELECT 1 IN secret.t", NOT_SERVED),
    ("SELECT in(1, secret.t)", NOT_SERVED),
    ("SELECT 1 GLOBAL NOT IN secret.t", NOT_SERVED),
    ("SELECT joinGet('secret.t', 'a', 1)", NOT_SERVED),
    ("SELECT dictGet('secret.d', 'a', 1)", NOT_SERVED),
    ("SELECT dictGet(concat('secret', '.d'), 'a', 1)", NOT_SERVED),
    ("SELECT hasColumnInTable('secret', 't', 'a')", NOT_SERVED),
    ("SHOW TABLES FROM secret", NOT_SERVED),
    ("SHOW COLUMNS FROM t FROM secret", NOT_SERVED),
    ("SHOW CREATE TABLE secret.t", NOT_SERVED),
    ("DESCRIBE secret.t", NOT_SERVED),
    ("EXISTS secret.t", NOT_SERVED),
    ("SELECT * FROM system.processes", NOT_SERVED),
    ("SELECT * FROM system.query_log", NOT_SERVED),
    ("SELECT * FROM system.users", NOT_SERVED),
    ("SELECT * FROM system.server_settings", NOT_SERVED),
    ("SELECT * FROM system.dictionaries", NOT_SERVED),
    ("SELECT * FROM system.named_collections", NOT_SERVED),
    ("SELECT * FROM system.stack_trace", NOT_SERVED),
    ("DESCRIBE system.users", NOT_SERVED),
    # settings
    ("SELECT 1 SETTINGS readonly = 0", NOT_READING),
    ("SELECT 1 SETTINGS allow_introspection_functions = 1", NOT_READING),
    ("SELECT * FROM (SELECT 1 SETTINGS max_threads = 8)", NOT_READING),
    ("WITH t AS (SELECT 1 SETTINGS readonly = 0) SELECT * FROM t", NOT_READING),
    ("DESCRIBE (SELECT 1 SETTINGS max_threads = 8)", NOT_READING),
    ("SELECT 1 FORMAT JSON SETTINGS format_schema = '/etc/passwd'", NOT_READING),
    ("SELECT 1 SETTINGS output_format_schema = '/tmp/out'", NOT_READING),
]


@pytest.mark.parametrize("sql", ALLOWED)
def test_a_statement_that_reads_is_answered(reading: Wire, sql: str) -> None:
    """Everything that only reads the ledger or the catalogue runs."""
    reply = reading.send(sql)
    assert reply.status == 200, reply.body


@pytest.mark.parametrize(("sql", "code"), HOSTILE)
def test_a_statement_that_does_more_is_refused(
    reading: Wire, sql: str, code: int
) -> None:
    """Whatever else a statement does is refused, with the code that says why."""
    reply = reading.send(sql)
    assert reply.code == code, reply.body
    assert reply.status in {400, 403}


def test_refusals_left_nothing_behind(reading: Wire) -> None:
    """After all of that the ledger is as it was."""
    assert reading.value("SELECT count(), sum(cost) FROM spans") == "1000\t62437.5"
    assert reading.value("SHOW TABLES FROM ledger") == "models\nnames\nspans"


def test_an_identifier_parameter_cannot_name_what_is_not_served(reading: Wire) -> None:
    """Names that come as parameters are checked like names in the text."""
    sql = "SELECT count() FROM {d:Identifier}.{t:Identifier}"
    assert reading.value(sql, param_d="ledger", param_t="spans") == "1000"
    assert reading.send(sql, param_d="secret", param_t="t").code == NOT_SERVED
    assert reading.send(sql, param_d="system", param_t="users").code == NOT_SERVED
    by_name = "SELECT count() FROM {t:Identifier}"
    assert reading.value(by_name, param_t="spans") == "1000"
    assert reading.send(by_name, param_t="users", database="system").code == NOT_SERVED
    assert reading.send(by_name, param_t="secret`.`t").code == 36
    applied = "SELECT arrayMap({f:Identifier}, ['/etc/passwd'])"
    assert reading.send(applied, param_f="file").code == NOT_SERVED


def test_the_requests_database_is_checked_too(reading: Wire) -> None:
    """An unqualified name means a table of the request's database, if it is served."""
    assert reading.value("SELECT count() FROM spans", database="ledger") == "1000"
    assert reading.value("SELECT count() FROM spans", database="default") == "1000"
    assert reading.value("SELECT count() FROM one", database="system") == "1"
    assert reading.send("SELECT count() FROM t", database="secret").code == NOT_SERVED
    assert reading.send("SELECT 1", database="secret").code == NOT_SERVED


SPACES = st.sampled_from([" ", "\n", "\t", " /* x */ ", " -- y\n", "\u00a0", "/**/"])
FORBIDDEN_CALLS = st.sampled_from(
    ["file", "url", "remote", "s3", "mysql", "executable", "sqlite", "Python", "merge"]
)
QUOTES = st.sampled_from(["{}", "`{}`", '"{}"'])
ARGUMENTS = st.sampled_from(
    ["'/etc/passwd'", "'/etc/passwd', 'LineAsString'", "$$/etc/passwd$$", "{p:String}"]
)
WRAPPERS = st.sampled_from(
    [
        "SELECT * FROM ({})",
        "WITH t AS ({}) SELECT * FROM t",
        "SELECT 1 UNION ALL ({})",
        "SELECT * FROM view({})",
        "SELECT (SELECT count() FROM ({}))",
        "SELECT 1 IN ({})",
        "SELECT EXISTS ({})",
        "EXPLAIN {}",
        "EXPLAIN SYNTAX {}",
        "SELECT * FROM numbers(1) AS a JOIN ({}) AS b ON 1 = 1",
        "SELECT * FROM spans ORDER BY (SELECT count() FROM ({}))",
        "DESCRIBE ({})",
        "{} SETTINGS max_threads = 1",
        "{} FORMAT JSON",
    ]
)


@st.composite
def disguised_calls(draw: st.DrawFn) -> str:
    """A read of something forbidden in up to four layers of other syntax."""
    name = draw(QUOTES).format(
        "".join(
            draw(st.sampled_from([c.lower(), c.upper()])) for c in draw(FORBIDDEN_CALLS)
        )
    )
    arguments = draw(ARGUMENTS)
    gaps = [draw(SPACES) for _ in range(4)]
    sql = f"SELECT{gaps[0]}*{gaps[1]}FROM{gaps[2]}{name}{gaps[3]}({arguments})"
    for wrapper in draw(st.lists(WRAPPERS, max_size=4)):
        sql = wrapper.replace("{}", sql)
    return sql


@settings(max_examples=250, deadline=None)
@given(sql=disguised_calls())
def test_no_disguise_helps_a_forbidden_call(reading: Wire, sql: str) -> None:
    """Case, quoting, comments and nesting do not carry a forbidden call through."""
    reply = reading.send(sql, param_p="/etc/passwd")
    assert reply.code in {NOT_SERVED, NOT_READING, NO_SYNTAX}, (sql, reply.body)


@settings(max_examples=150, deadline=None)
@given(
    name=st.sampled_from(["file", "sleep", "getOSKernelVersion", "demangle"]),
    shape=st.sampled_from(
        [
            "SELECT {f}('/etc/passwd')",
            "SELECT arrayMap({f}, ['/etc/passwd'])",
            "SELECT arrayMap(x -> {f}(x), ['/etc/passwd'])",
            "SELECT * APPLY({f}) FROM (SELECT '/etc/passwd' AS a)",
            "SELECT COLUMNS('a') APPLY toString APPLY {f} FROM (SELECT 1 AS a)",
            "WITH {f} AS g SELECT arrayMap(g, ['/etc/passwd'])",
            "SELECT 1 WHERE {f}('/etc/passwd') != ''",
            "SELECT count() GROUP BY {f}('/etc/passwd')",
            "SELECT 1 ORDER BY {f}('/etc/passwd')",
            "SELECT sum(1) OVER (ORDER BY {f}('/etc/passwd'))",
            "SELECT quantile({f}('/etc/passwd'))(1)",
            "SELECT * FROM values('a String', {f}('/etc/passwd'))",
            "SELECT * FROM numbers(length({f}('/etc/passwd')))",
            "SELECT if(1, {f}('/etc/passwd'), '')",
            "SELECT {f}('/etc/passwd') AS a, a",
        ]
    ),
    quote=QUOTES,
    gap=SPACES,
)
def test_no_place_helps_a_forbidden_function(
    reading: Wire, name: str, shape: str, quote: str, gap: str
) -> None:
    """A forbidden function is refused wherever an expression may stand."""
    sql = shape.replace("{f}", quote.format(name)).replace(" ", gap)
    reply = reading.send(sql)
    assert reply.code in {NOT_SERVED, NO_SYNTAX}, (sql, reply.body)
