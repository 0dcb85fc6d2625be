"""Notifies a person of problems with a load: `UPPKLARAT_NOTIFY` names a command, a mailbox or a web address."""

from __future__ import annotations

import json
import os
import shlex
import smtplib
import socket
import ssl
import subprocess
import urllib.request
from collections.abc import Sequence
from datetime import UTC, datetime
from email.message import EmailMessage
from email.utils import formatdate, make_msgid
from functools import partial
from http.client import HTTPException
from importlib.metadata import version
from typing import Any, NamedTuple
from urllib.parse import parse_qs, unquote, urlsplit

from dagster_project.settings import MAIL_SCHEMES, PREFIX, WEB_SCHEMES, NotifySettings

SECONDS_TO_WAIT = 30
HEADLINES = {
    "failed": "a load failed",
    "blocked": "not published, the audit blocks it",
    "landing_unreadable": "the landing folder cannot be read",
    "missing": "an expected year did not arrive",
    "not_served": "published, but PostgreSQL does not serve it",
    "rejected": "a delivery was rejected",
    "test": "a test message",
}
# Without the error's own message: databases quote values in it.
FAILED = "a load failed ({}); the message is in its own output, and in Dagster's run if there is one"


class Problem(NamedTuple):
    """A problem that needs a person's attention; the text never contains a value of a delivery."""

    event: str
    """A key of `HEADLINES`."""
    text: str


def notify(settings: NotifySettings, problems: Sequence[Problem], run_id: str | None = None) -> str | None:
    """Send one message about these problems; return the reason of a failure, otherwise None.

    It never raises, because a message that cannot be sent must not change the outcome of a load.
    """
    target = settings.notify.get_secret_value()
    if not target or not problems:
        return None
    events = dict.fromkeys(problem.event for problem in problems)
    subject = "uppklarat: " + "; ".join(HEADLINES[event] for event in events)
    document = {
        "subject": subject,
        # The field that chat services display.
        "text": "\n".join([subject, *(f"- {problem.text}" for problem in problems), "What to do: docs/operating.md"]),
        "problems": [problem._asdict() for problem in problems],
        "run_id": run_id,
        "home": str(settings.home),
        "host": socket.gethostname(),
        "version": version("uppklarat"),
        "at": datetime.now(UTC).isoformat(timespec="seconds"),
    }
    try:
        scheme = urlsplit(target).scheme
        if scheme in WEB_SCHEMES:
            _post(target, document)
        elif scheme in MAIL_SCHEMES:
            _mail(target, document)
        else:
            _run(target, document)
    except (OSError, ValueError, subprocess.SubprocessError, smtplib.SMTPException, HTTPException) as error:
        # Neither the target nor the error's quote of it, since both may contain a password.
        reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        secret = error if isinstance(error, _NotSentError) else f"{type(error).__name__}: {reason}"
        return f"no message was sent ({PREFIX}NOTIFY): {secret}".replace(target, "…")
    return None


class _NotSentError(ValueError):
    pass


def _run(command: str, document: dict[str, Any]) -> None:
    arguments = [*shlex.split(command), document["subject"]]
    # The command must not see our key and passwords.
    environment = {name: value for name, value in os.environ.items() if not name.startswith(PREFIX)}
    try:
        ended = subprocess.run(  # noqa: S603
            arguments,
            input=json.dumps(document).encode(),
            env=environment,
            capture_output=True,
            timeout=SECONDS_TO_WAIT,
        )
    except subprocess.TimeoutExpired:
        # The exception's own text quotes the arguments.
        raise _NotSentError(f"the command did not end within {SECONDS_TO_WAIT} s") from None
    if ended.returncode:
        raise _NotSentError(f"{arguments[0]} ended with {ended.returncode}")


def _post(address: str, document: dict[str, Any]) -> None:
    request = urllib.request.Request(  # noqa: S310
        address, json.dumps(document).encode(), {"Content-Type": "application/json"}
    )
    with urllib.request.urlopen(request, timeout=SECONDS_TO_WAIT):  # noqa: S310
        pass


def _mail(target: str, document: dict[str, Any]) -> None:
    """Send to `smtp://[user:password@]host[:port]/recipient` or `mailto:recipient?smtp=host:port`; `from=` names the sender."""
    parts = urlsplit(target)
    query = {name: values[0] for name, values in parse_qs(parts.query).items()}
    server = urlsplit(f"smtp://{query.get('smtp', 'localhost')}") if parts.scheme == "mailto" else parts
    message = EmailMessage()
    message["Subject"] = document["subject"]
    message["From"] = query.get("from", f"uppklarat@{socket.gethostname()}")
    message["To"] = unquote(parts.path.strip("/"))
    message["Date"], message["Message-ID"] = formatdate(), make_msgid(domain="uppklarat")
    message.set_content(f"{document['text']}\n\n{document['home']} on {document['host']}, run {document['run_id']}\n")
    # smtplib's default context trusts any certificate.
    trusted = ssl.create_default_context()
    encrypted = parts.scheme == "smtps"
    connect = partial(smtplib.SMTP_SSL, context=trusted) if encrypted else smtplib.SMTP
    with connect(server.hostname or "", server.port or 0, timeout=SECONDS_TO_WAIT) as smtp:
        smtp.ehlo()
        if not encrypted and smtp.has_extn("starttls"):
            smtp.starttls(context=trusted)
            smtp.ehlo()
            encrypted = True
        if server.username:
            if not encrypted:
                raise _NotSentError("the mail server offers no encryption, so no password is sent to it")
            smtp.login(unquote(server.username), unquote(server.password or ""))
        smtp.send_message(message)
