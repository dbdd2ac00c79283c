"""Dashboards into a Grafana, through its HTTP API.

Only what differs is written, so pushing again changes nothing. Grafana keeps the
version that was there before, so what is overwritten can be restored in it.
"""

from __future__ import annotations

import difflib
import json
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Final, Literal
from urllib.parse import SplitResult, unquote, urlsplit

from farthing.dashboards.catalogue import DASHBOARDS
from farthing.dashboards.grafana import compiled
from farthing.errors import ConfigError, FarthingError

try:
    import requests
    from grafana_api.grafana_api import GrafanaException
    from grafana_api.grafana_face import GrafanaFace
except ModuleNotFoundError as missing:
    raise ConfigError(
        "pushing to Grafana needs the dashboards extra: pip install"
        f" 'farthing[dashboards]' (there is no {missing.name})"
    ) from missing

Json = dict[str, Any]

FOLDER: Final = "Farthing"
_FOLDER_UID: Final = "farthing"
_OLDEST: Final = (11, 6)
_TIMEOUT_S: Final = 30.0
_NOT_FOUND: Final = 404
_ADVICE: Final = {
    401: "name a file with a service account's token with --token-file",
    403: "the token may not do this: its service account needs the role Editor, and for"
    " the folder Admin",
    400: "if the dashboard is provisioned from files, Grafana takes it from there only",
}


class GrafanaError(FarthingError):
    """Grafana does not answer, or not as asked."""


@dataclass(frozen=True, slots=True)
class Change:
    """What would become of one dashboard; `difference` is a unified diff."""

    uid: str
    title: str
    what: Literal["new", "changed", "same"]
    difference: tuple[str, ...]
    dashboard: Json


class Grafana:
    """A Grafana at `http(s)://[user:password@]host[:port][/path]`, with a token or the
    user of the URL. Raises ConfigError for another URL, GrafanaError on the way."""

    def __init__(self, url: str, *, token: str = "") -> None:
        parts = _parts(url)
        login = (unquote(parts.username or ""), unquote(parts.password or ""))
        path = parts.path.strip("/")
        origin = f"{parts.scheme}://{_host(parts)}{_port(parts)}"
        self.url = f"{origin}/{path}".rstrip("/")
        self._face = GrafanaFace(
            auth=token or login,
            host=_host(parts),
            port=parts.port,
            url_path_prefix=f"{path}/" if path else "",
            protocol=parts.scheme,
            timeout=_TIMEOUT_S,
        )

    def version(self) -> str:
        """As it says it. Raises GrafanaError where it is too old for our dashboards."""
        with self._asked("health"):
            told = str(self._face.api.GET("/health")["version"])
        numbers = [int(n) for n in told.split("-")[0].split(".")[:2] if n.isdecimal()]
        if tuple(numbers) < _OLDEST:
            raise GrafanaError(
                f"{self.url} is Grafana {told}; the dashboards need 11.6 or newer, as"
                " the ClickHouse plugin does"
            )
        return told

    def changes(self) -> tuple[Change, ...]:
        """What differs between its dashboards of ours and those of this version."""
        return tuple(self._change(compiled(one)) for one in DASHBOARDS)

    def push(
        self,
        changes: Iterable[Change],
        *,
        folder: str,
        told: Callable[[Change], None],
    ) -> None:
        """Write what is new or changed into a folder, which is made if need be."""
        needed = [change for change in changes if change.what != "same"]
        folder_uid = self._folder(folder) if needed else ""
        for change in needed:
            with self._asked(change.title):
                self._face.dashboard.update_dashboard(
                    {
                        "dashboard": change.dashboard,
                        "folderUid": folder_uid,
                        "message": "farthing dashboards push",
                        "overwrite": True,
                    }
                )
            told(change)

    def _change(self, ours: Json) -> Change:
        theirs = self._dashboard(ours["uid"])
        kept = None if theirs is None else _alike(theirs, ours)
        what: Literal["new", "changed", "same"] = (
            "new" if kept is None else "same" if kept == ours else "changed"
        )
        lines = tuple(_difference(kept, ours)) if what == "changed" else ()
        return Change(ours["uid"], ours["title"], what, lines, ours)

    def _dashboard(self, uid: str) -> Json | None:
        with self._asked(uid):
            try:
                found: Json = self._face.dashboard.get_dashboard(uid)["dashboard"]
            except GrafanaException as error:
                if error.status_code == _NOT_FOUND:
                    return None
                raise
            return found

    def _folder(self, title: str) -> str:
        """The uid of the folder with a title; of ours, where there is none."""
        with self._asked(f"folder {title!r}"):
            for one in self._face.folder.get_all_folders():
                if one["title"] == title:
                    return str(one["uid"])
            uid = _FOLDER_UID if title == FOLDER else None
            return str(self._face.folder.create_folder(title, uid)["uid"])

    @contextmanager
    def _asked(self, about: str) -> Iterator[None]:
        try:
            yield
        except GrafanaException as error:
            advice = _ADVICE.get(error.status_code, "")
            raise GrafanaError(
                f"{self.url}, {about}: {error.message}{'; ' if advice else ''}{advice}"
            ) from error
        except (ValueError, KeyError, TypeError) as error:
            raise GrafanaError(
                f"{self.url}, {about}: that is no answer of Grafana; is this its"
                " address, with its path if it has one?"
            ) from error
        except (requests.RequestException, OSError) as error:
            raise GrafanaError(
                f"{self.url} does not answer: {type(error).__name__}"
            ) from error


def _parts(url: str) -> SplitResult:
    try:
        parts = urlsplit(url)
        if parts.scheme in ("http", "https") and parts.hostname and parts.port != 0:
            return parts
    except ValueError:
        pass
    raise ConfigError(
        "the address of a Grafana is like https://grafana.example.com or"
        " http://127.0.0.1:3000"
    )


def _host(parts: SplitResult) -> str:
    host = parts.hostname or ""
    return f"[{host}]" if ":" in host else host


def _port(parts: SplitResult) -> str:
    return f":{parts.port}" if parts.port else ""


def _alike(theirs: Any, ours: Any) -> Any:
    """Theirs without what Grafana adds by itself: ids, versions, defaults."""
    if isinstance(theirs, dict) and isinstance(ours, dict):
        return {
            key: _alike(theirs[key], value)
            for key, value in ours.items()
            if key in theirs
        }
    if isinstance(theirs, list) and isinstance(ours, list) and len(theirs) == len(ours):
        return [_alike(one, other) for one, other in zip(theirs, ours, strict=True)]
    return theirs


def _difference(theirs: Any, ours: Any) -> Iterator[str]:
    before, after = (
        json.dumps(x, indent=1, ensure_ascii=False) for x in (theirs, ours)
    )
    return difflib.unified_diff(
        before.splitlines(), after.splitlines(), "Grafana", "Farthing", lineterm="", n=2
    )
