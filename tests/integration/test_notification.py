"""What goes wrong reaches a person, by a command, by mail or by a web address, and never changes what becomes of a load."""

from __future__ import annotations

import contextlib
import json
import shutil
import socketserver
import ssl
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from email import message_from_string
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from ipaddress import ip_address
from pathlib import Path

import dagster as dg
import pytest
from conftest import settings_in
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID
from deliveries import YEAR, put
from reference.worlds import dirty_world
from test_orchestration import error_of_tick, places
from warehouse import environment

from dagster_project import notification
from dagster_project.cli import load as cli_load
from dagster_project.cli import main as cli
from dagster_project.defs.alerts import COMMAND_LINE, failed_run
from dagster_project.defs.all_definitions import build_definitions
from dagster_project.defs.automation import run_config
from dagster_project.notification import HEADLINES, Problem, notify
from dagster_project.publication.outcome import LoadOutcome
from dagster_project.settings import Settings

SECRET = "19811218-9876"
PROBLEM = Problem("rejected", "police/2024/offences.csv: line 3")


@contextlib.contextmanager
def served(server: socketserver.BaseServer) -> Iterator[int]:
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield server.server_address[1]  # type: ignore[misc]
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


class Mailbox(socketserver.StreamRequestHandler):
    """As little of a mail server as a client needs; without encryption."""

    received: list[str]

    def handle(self) -> None:
        self.wfile.write(b"220 here\r\n")
        self.converse()

    def converse(self) -> None:
        while line := self.rfile.readline().decode().strip():
            if line.upper().startswith("DATA"):
                self.wfile.write(b"354 go on\r\n")
                text = ""
                while (part := self.rfile.readline().decode()) != ".\r\n":
                    text += part
                self.received.append(text)
            self.wfile.write(b"221 bye\r\n" if line.upper() == "QUIT" else b"250 AUTH PLAIN\r\n")


class Address(BaseHTTPRequestHandler):
    received: list[str]
    answer = 204

    def do_POST(self) -> None:
        self.received.append(self.rfile.read(int(self.headers["Content-Length"])).decode())
        self.send_response(self.answer)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        pass


def notifying(settings: Settings, target: str) -> Settings:
    return Settings.model_validate({**settings.model_dump(), "notify": target})


@pytest.fixture
def script(tmp_path: Path) -> Path:
    """A command that keeps its argument and its input, and ends with what the file `code` says."""
    path = tmp_path / "tell"
    path.write_text(f'#!/bin/sh\ncd {tmp_path}; echo "$2" >> subjects; cat >> documents; env > env; exit $(cat code)\n')
    path.chmod(0o755)
    (tmp_path / "code").write_text("0")
    return path


@pytest.fixture
def command(settings: Settings, script: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    """A warehouse that commands find by their environment, and a script that is notified."""
    for variable, value in {**environment(settings), "UPPKLARAT_NOTIFY": f"{script} --now"}.items():
        monkeypatch.setenv(variable, value)
    return notifying(settings, f"{script} --now")


def sent(script: Path) -> list[dict[str, object]]:
    file, decoder, found = script.with_name("documents"), json.JSONDecoder(), []
    text = file.read_text() if file.exists() else ""
    while text:
        document, end = decoder.raw_decode(text)
        found.append(document)
        text = text[end:]
    return found


def events(script: Path) -> list[list[str]]:
    return [[problem["event"] for problem in document["problems"]] for document in sent(script)]  # type: ignore[attr-defined]


def test_a_command_that_does_not_end_is_reported_without_its_arguments(
    settings: Settings, script: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    script.write_text("#!/bin/sh\nexec sleep 5\n")
    monkeypatch.setattr(notification, "SECONDS_TO_WAIT", 0.1)
    why = notify(notifying(settings, f"{script} --token hemligt"), [PROBLEM])
    assert why == "no message was sent (UPPKLARAT_NOTIFY): the command did not end within 0.1 s"


def test_a_command_gets_the_subject_and_the_document(command: Settings, script: Path) -> None:
    assert notify(command, [PROBLEM, Problem("blocked", "a check")], "run 7") is None
    (document,) = sent(script)
    assert script.with_name("subjects").read_text() == f"{document['subject']}\n"
    assert document["subject"] == "uppklarat: a delivery was rejected; not published, the audit blocks it"
    assert document["problems"][0] == {"event": "rejected", "text": PROBLEM.text}  # type: ignore[index]
    assert (document["run_id"], document["home"]) == ("run 7", str(command.home))
    assert "UPPKLARAT_KEY" not in script.with_name("env").read_text()


@pytest.mark.parametrize(
    "form",
    ["smtp://127.0.0.1:{0}/{1}?from=us@example.org", "mailto:{1}?smtp=127.0.0.1:{0}&from=us@example.org"],
    ids=["smtp", "mailto"],
)
def test_a_mailbox_gets_a_letter(settings: Settings, form: str) -> None:
    Mailbox.received = []
    with served(socketserver.ThreadingTCPServer(("127.0.0.1", 0), Mailbox)) as port:
        assert notify(notifying(settings, form.format(port, "a@example.org,b@example.org")), [PROBLEM]) is None
    (letter,) = map(message_from_string, Mailbox.received)
    assert (letter["From"], letter["To"]) == ("us@example.org", "a@example.org,b@example.org")
    assert letter["Subject"] == "uppklarat: a delivery was rejected"
    assert f"- {PROBLEM.text}" in str(letter.get_payload())


def test_no_password_is_sent_without_encryption(settings: Settings) -> None:
    Mailbox.received = []
    with served(socketserver.ThreadingTCPServer(("127.0.0.1", 0), Mailbox)) as port:
        why = notify(notifying(settings, f"smtp://us:hemligt@127.0.0.1:{port}/a@example.org"), [PROBLEM])
    assert why is not None and "no encryption" in why and "hemligt" not in why
    assert Mailbox.received == []


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Certificate and key of 127.0.0.1, which no system trusts."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "127.0.0.1")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
        .serial_number(x509.random_serial_number()).not_valid_before(now).not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False)
        .sign(key, hashes.SHA256())
    )  # fmt: skip
    path = tmp_path_factory.mktemp("tls") / "certificate.pem"
    unencrypted = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    path.write_bytes(certificate.public_bytes(Encoding.PEM) + unencrypted)
    return path


class EncryptedMailbox(Mailbox):
    """Encrypted from the start, or once the client asks for it."""

    certificate: Path
    at_once: bool

    def setup(self) -> None:
        super().setup()
        if self.at_once:
            self._encrypt()

    def _encrypt(self) -> None:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.certificate)
        self.connection = context.wrap_socket(self.request, server_side=True)
        self.rfile, self.wfile = self.connection.makefile("rb"), self.connection.makefile("wb", buffering=0)

    def converse(self) -> None:
        if not self.at_once:
            self.rfile.readline()
            self.wfile.write(b"250-here\r\n250 STARTTLS\r\n")
            self.rfile.readline()
            self.wfile.write(b"220 go on\r\n")
            self._encrypt()
        super().converse()


@pytest.mark.parametrize("scheme", ["smtp", "smtps"])
def test_a_letter_is_only_sent_to_a_server_whose_certificate_is_trusted(
    settings: Settings, certificate: Path, scheme: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    mailbox = type("Here", (EncryptedMailbox,), {"certificate": certificate, "at_once": scheme == "smtps"})
    monkeypatch.setattr(Mailbox, "received", [], raising=False)
    server = socketserver.ThreadingTCPServer(("127.0.0.1", 0), mailbox)
    # The failed handshake is what is tested.
    monkeypatch.setattr(server, "handle_error", lambda *_: None)
    with served(server) as port:
        target = notifying(settings, f"{scheme}://127.0.0.1:{port}/a@example.org")
        why = notify(target, [PROBLEM])
        assert why is not None and "certificate" in why.lower()
        assert Mailbox.received == []
        monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
        why = notify(target, [PROBLEM])
    assert why is None
    assert len(Mailbox.received) == 1


@pytest.mark.parametrize("answer", [204, 500])
def test_a_web_address_gets_the_document(settings: Settings, answer: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Address, "received", [], raising=False)
    monkeypatch.setattr(Address, "answer", answer)
    with served(ThreadingHTTPServer(("127.0.0.1", 0), Address)) as port:
        why = notify(notifying(settings, f"http://127.0.0.1:{port}/hook?token=hemligt"), [PROBLEM])
    assert (why is None) == (answer == 204)
    assert "hemligt" not in (why or "")
    assert json.loads(Address.received[0])["problems"] == [PROBLEM._asdict()]


@pytest.mark.parametrize(
    "target", ["/nowhere/at/all", "smtp://127.0.0.1:1/a@example.org", "http://127.0.0.1:1/", "false"]
)
def test_who_cannot_be_told_is_reported(settings: Settings, target: str) -> None:
    why = notify(notifying(settings, target), [PROBLEM])
    assert why is not None and why.startswith("no message was sent (UPPKLARAT_NOTIFY): ")


@pytest.mark.parametrize("target", ["ftp://example.org", "smtp://example.org", "mailto:", "https://", "a 'command"])
def test_a_target_that_is_none_fails_every_command(
    target: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("UPPKLARAT_NOTIFY", target)
    assert cli.main(["status"]) == cli.FAILED
    assert "UPPKLARAT_NOTIFY: it must be a command" in capsys.readouterr().err


def test_a_test_message_is_sent(
    command: Settings, script: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.main(["notify"]) == cli.OK
    script.with_name("code").write_text("3")
    assert cli.main(["notify"]) == cli.FAILED
    assert "ended with 3" in capsys.readouterr().err
    monkeypatch.setenv("UPPKLARAT_NOTIFY", "")
    assert cli.main(["notify"]) == cli.USAGE
    assert events(script) == [["test"], ["test"]]


def test_a_killed_load_is_told_by_systemd(command: Settings, script: Path) -> None:
    assert cli.main(["notify", "--failed", "oom-kill"]) == cli.OK
    (document,) = sent(script)
    assert document["subject"] == "uppklarat: a load failed"
    assert "(oom-kill)" in str(document["text"])


def test_a_load_tells_and_ends_as_it_would(command: Settings, script: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["load"]) == cli.NOTHING_ARRIVED
    script.with_name("code").write_text("1")
    put(command, "police", {"offences.csv": b"", "decisions.csv": b""})
    assert cli.main(["load", "--expect", str(YEAR), "--json"]) == cli.NOTHING_ARRIVED
    output = capsys.readouterr()
    # Nobody has to be notified of this.
    assert cli.main(["status"]) == cli.OK
    assert events(script) == [["landing_unreadable"], ["missing", "rejected"]]
    assert json.loads(output.out)["not_notified"]
    assert output.err.count("no message was sent") == 1


@pytest.mark.parametrize(
    ("outcome", "exit_code"),
    [
        (LoadOutcome(blocked="a check"), cli.BLOCKED),
        (LoadOutcome(not_served="no connection"), cli.NOT_SERVED),
        (LoadOutcome(blocked="a check", not_served="no connection", rejected=("one", "two")), cli.BLOCKED),
        (LoadOutcome(), cli.OK),
    ],
)
def test_every_outcome_that_needs_a_person_is_told(
    command: Settings, script: Path, monkeypatch: pytest.MonkeyPatch, outcome: LoadOutcome, exit_code: int
) -> None:
    monkeypatch.setattr(cli_load, "load", lambda *_: outcome)
    assert cli.main(["load"]) == exit_code
    assert events(script) == ([[problem.event for problem in outcome.problems]] if outcome.problems else [])


def test_a_failed_load_is_told_without_its_message(
    command: Settings, script: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(*_: object) -> LoadOutcome:
        raise ValueError(f"could not convert {SECRET}")

    monkeypatch.setattr(cli_load, "load", fails)
    assert cli.main(["load"]) == cli.FAILED
    assert events(script) == [["failed"]]
    assert SECRET not in script.with_name("documents").read_text()
    assert "(ValueError)" in str(sent(script)[0]["text"])


def test_an_invalid_setting_is_told(
    command: Settings, script: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("UPPKLARAT_MEMORY", "hemligt")
    monkeypatch.setenv("UPPKLARAT_HOEM", "hemligt")
    assert cli.main(["status"]) == cli.FAILED
    assert cli.main(["load"]) == cli.FAILED
    assert events(script) == [["failed"]]
    (document,) = sent(script)
    assert "invalid settings: UPPKLARAT_MEMORY: it must be a size" in str(document["text"])
    assert document["home"] == str(command.home)
    error = capsys.readouterr().err
    assert error.count("warning: UPPKLARAT_HOEM is no setting, and is ignored\n") == 2
    assert "hemligt" not in error + str(document)


def test_the_schedule_tells_that_nothing_came_on_its_day(command: Settings, script: Path) -> None:
    with dg.DagsterInstance.ephemeral() as instance:
        error_of_tick(command, instance)
        command.landing.mkdir()
        error_of_tick(command, instance)
    assert events(script) == [["landing_unreadable"], ["missing"]]
    assert "2024 is not complete" in str(sent(script)[1]["text"])


def test_a_run_that_fails_is_told_by_dagster(command: Settings, script: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What the run rejected and what did not arrive; an unexpected failure without its message; a command's own run not twice."""
    dirty_world(command.landing, seed=52, offences_per_year=60, years=(2022, 2023), dirt=0.0)
    (command.landing / "police" / "2023" / "manifest.json").write_text("{}", encoding="utf-8")
    tags = {"dagster/asset_partition_range_start": "2022", "dagster/asset_partition_range_end": "2023"}
    job = build_definitions(command).resolve_job_def("load")
    with dg.DagsterInstance.ephemeral() as instance:

        def fail() -> dg.ExecuteInProcessResult:
            return job.execute_in_process(
                run_config=run_config(complete_only=True, expected=[2023]), instance=instance, tags=tags,
                raise_on_error=False,
            )  # fmt: skip

        def tell(result: dg.ExecuteInProcessResult, **more: str) -> None:
            (event,) = (one for one in result.all_events if one.event_type is dg.DagsterEventType.RUN_FAILURE)
            context = dg.build_run_status_sensor_context(
                sensor_name="failed_run", dagster_instance=instance, dagster_event=event,
                dagster_run=result.dagster_run.with_tags({**result.dagster_run.tags, **more}),
                resources={"places": places(command)},
            )  # fmt: skip
            failed_run(context.for_run_failure())

        failed = fail()
        tell(failed)
        assert events(script) == [["missing", "rejected"]]
        tell(failed, **COMMAND_LINE)
        assert len(sent(script)) == 1
        script.with_name("code").write_text("1")
        with pytest.raises(RuntimeError, match="no message was sent"):
            tell(failed)
        script.with_name("code").write_text("0")
        shutil.rmtree(command.home / "raw")
        tell(fail())
        assert events(script)[2][0] == "failed"


def test_every_event_of_a_load_has_a_headline() -> None:
    outcome = LoadOutcome(None, ("",), "", "", missing=("",))
    assert {problem.event for problem in outcome.problems} <= {*HEADLINES}
    assert set(cli.EXIT_CODES) < set(HEADLINES)
    assert settings_in(Path("nowhere")).notify.get_secret_value() == ""
