"""A notice as Slack shows it: the headline as text, the rest beside a coloured bar.

Sizes are Slack's (docs.slack.dev/reference/block-kit/blocks: section text 3,000, ten
fields of 2,000, context of ten elements) and well below the 13,000 characters at which
a whole message is refused although each part is within its limit.
"""

from __future__ import annotations

import re
from typing import Any, Final

from farthing.alerts.alert import Alert, Notice
from farthing.alerts.message import Fact, Link, Message, message_of

_COLOURS: Final = {
    "critical": "#b3261e",
    "error": "#d9480f",
    "warning": "#e8a317",
    "info": "#4f6d8f",
    "resolved": "#2e7d32",
    "acknowledged": "#7a6a9e",
}
_MARKS: Final = {
    "firing": ":rotating_light:",
    "acknowledged": ":eyes:",
    "resolved": ":white_check_mark:",
}
_MAX_HEADLINE: Final = 300
_MAX_SUMMARY: Final = 2_000
_MAX_FIELDS: Final = 10
_MAX_FIELD: Final = 300
_MAX_LINK: Final = 1_000
_CUT_ESCAPE: Final = re.compile("&[a-z]*$")


def escape(text: str) -> str:
    """`text` so that Slack shows it as it is: no link, no mention, no call of all."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def slack_message(notice: Notice) -> dict[str, Any]:
    """The message's fields, for a webhook as for chat.postMessage and chat.update."""
    alert, message = notice.alert, message_of(notice)
    headline = f"{_MARKS[alert.state]} *{_line(message.headline)}*"
    return {
        "text": headline,
        "attachments": [{"color": _colour(alert), "blocks": _blocks(message)}],
        "unfurl_links": False,
        "unfurl_media": False,
    }


def slack_reply(notice: Notice) -> dict[str, Any]:
    """What is said in the thread, under a message that is brought up to date."""
    message = message_of(notice)
    text = f"*{_line(message.headline)}*\n{_shown(message.summary, _MAX_SUMMARY)}"
    return {"text": text, "unfurl_links": False, "unfurl_media": False}


def _blocks(message: Message) -> list[dict[str, Any]]:
    blocks: list[dict[str, Any]] = []
    if message.summary:
        summary = _text(_shown(message.summary, _MAX_SUMMARY))
        blocks.append({"type": "section", "text": summary})
    fields = [_field(fact) for fact in message.facts[:_MAX_FIELDS]]
    blocks.append({"type": "section", "fields": fields})
    more = [_field(fact) for fact in message.facts[_MAX_FIELDS:]][:_MAX_FIELDS]
    if more:
        blocks.append({"type": "section", "fields": more})
    links = [shown for shown in map(_link, message.links) if shown]
    if links:
        blocks.append({"type": "section", "text": _text(" · ".join(links))})
    return blocks


def _field(fact: Fact) -> dict[str, Any]:
    return _text(f"*{escape(fact.name)}*\n{_shown(fact.value, _MAX_FIELD)}")


def _text(markup: str) -> dict[str, Any]:
    """`verbatim` keeps Slack from making links and mentions of what looks like one."""
    return {"type": "mrkdwn", "text": markup, "verbatim": True}


def _shown(text: str, size: int) -> str:
    """Escaped, and at most `size` characters as it is sent, no escape cut in two."""
    escaped = escape(text[: size + 1])
    if len(escaped) <= size:
        return escaped
    return _CUT_ESCAPE.sub("", escaped[: size - 1]) + "…"


def _line(text: str) -> str:
    return _shown(" ".join(text.split()), _MAX_HEADLINE)


def _link(link: Link) -> str:
    """A cut address leads nowhere: one that is too long is left out."""
    name, target = escape(link.name), escape(link.target)
    if len(target) > _MAX_LINK:
        return ""
    if not link.is_url:
        return f"{name}: {target}"
    return f"<{target.replace('|', '%7C')}|{name}>"


def _colour(alert: Alert) -> str:
    return _COLOURS.get(alert.state, _COLOURS[alert.severity])
