"""An operator's price file as JSON: agents read it, and they have no YAML."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from farthing.economics.prices.catalogue import Catalogue
from farthing.economics.prices.userfile import with_user_prices
from farthing.errors import ConfigError


def load_user_json(path: Path, catalogue: Catalogue) -> Catalogue:
    """A catalogue in which the file wins; numbers stay exact, as written.

    Raises ConfigError that lists every problem of the file at once.
    """
    try:
        data = json.loads(path.read_text(), parse_float=str, parse_int=str)
    except (OSError, ValueError) as error:
        raise ConfigError(f"{path}: cannot be read as JSON: {error}") from error
    if not isinstance(data, dict):
        raise ConfigError(f"{path}: must be an object such as {{'prices': []}}")
    return with_user_prices(catalogue, _texts(data), file=str(path))


def _texts(value: Any) -> Any:
    """JSON values as YAML's text loader would give them."""
    if isinstance(value, dict):
        return {key: _texts(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [_texts(inner) for inner in value]
    if isinstance(value, bool):
        return "true" if value else "false"
    return value
