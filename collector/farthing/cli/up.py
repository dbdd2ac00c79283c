"""`farthing up`: the collector."""

from __future__ import annotations

import logging
from pathlib import Path

import click

from farthing.cli.options import config_option, data_option
from farthing.cli.show import line
from farthing.collector.app import Addresses, up
from farthing.collector.config import load_settings, unknown_variables

_logger = logging.getLogger(__name__)
# What these warn of, they raise as well: it is told by whoever asked.
_TOLD_BY_US = ("clickhouse_connect", "urllib3")


@click.command()
@config_option
@data_option
@click.option(
    "--store",
    metavar="URL",
    help="chdb:///path or clickhouse://user:pass@host:port/db.",
)
@click.option(
    "--http-listen", metavar="HOST:PORT", help="OTLP over HTTP [127.0.0.1:4318]."
)
@click.option(
    "--grpc-listen", metavar="HOST:PORT", help="OTLP over gRPC [127.0.0.1:4317]."
)
@click.option(
    "--web-listen",
    metavar="HOST:PORT",
    help="The page, and questions to the ledger [127.0.0.1:4319].",
)
@click.option("--verbose", is_flag=True, help="Log what happens, not only problems.")
def command(
    config: Path | None,
    data_dir: Path | None,
    store: str | None,
    http_listen: str | None,
    grpc_listen: str | None,
    web_listen: str | None,
    *,
    verbose: bool,
) -> None:
    """Receive, price and keep what agents spend, until it is stopped.

    Settings come from these options, then from FARTHING_* variables, then from the file
    that --config or FARTHING_CONFIG names. docs/configuration.md lists them.
    """
    logging.basicConfig(
        level=logging.INFO if verbose else logging.WARNING,
        format="%(asctime)s %(levelname)s %(name)s: %(message)s",
    )
    if not verbose:
        for name in _TOLD_BY_US:
            logging.getLogger(name).setLevel(logging.ERROR)
    for name, meant in unknown_variables().items():
        _logger.warning("%s is no setting: did you mean %s?", name, meant)
    settings = load_settings(
        config=config,
        data_dir=data_dir,
        store=store,
        http_listen=http_listen,
        grpc_listen=grpc_listen,
        web_listen=web_listen,
    )
    up(settings, started=announce)


def announce(addresses: Addresses) -> None:
    """Say where the collector listens, and how an agent is pointed at it."""
    line("Farthing is up.")
    line(f"  OTLP/HTTP  {addresses.http_url}")
    line(f"  OTLP/gRPC  {addresses.grpc_address}")
    line(f"  ledger     {addresses.store}")
    line(f"  page       {addresses.web_url}/")
    if addresses.embedded:
        line(f"  questions  {addresses.web_url} (ClickHouse's HTTP interface)")
    line(f"Point an agent here: OTEL_EXPORTER_OTLP_ENDPOINT={addresses.http_url}")
