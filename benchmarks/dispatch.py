"""What sending letters costs, beside a program written by hand, Celery tasks and Prefect tasks, in one run.

    python benchmarks/dispatch.py                  2,000 letters, 3 rounds, as a table
    python benchmarks/dispatch.py --letters 500 --rounds 1 --json
    python benchmarks/dispatch.py --memory         peak memory with 10,000 and with 100,000 letters waiting

A letter is a reminder of 8 to 10 KB on the wire: HTML with a table, plain text, headers; half are Chinese. Each subject
records it durably, writes it, composes it, sends it by SMTP to postfix's smtp-sink and marks it, on SQLite with WAL and
synchronous=FULL. Each measurement is a process of its own, rounds are interleaved, medians are shown. Prefect sends
fewer letters (--prefect-letters) and is compared per letter. What is not installed is said and has no ratio. Like is
compared with like: one process of pfflow with the floor and with Prefect's one process, and two workers beside the
process that records with Celery's two workers beside the process that calls them.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import resource
import shutil
import signal
import socket
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from datetime import UTC, datetime
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from benchmarks.dispatch_floor import by_hand
from benchmarks.dispatch_floor.letters import DOMAIN, HOUSE, NOTICED_AT, SENDER, facts
from pfflow.bootstrap import collect_rarely
from pfflow.delivery.compose import Sender
from pfflow.delivery.connection import Security, SmtpServer
from pfflow.delivery.limits import MailPolicy
from pfflow.delivery.smtp import SmtpMailer
from pfflow.dispatching import Drain, Terms
from pfflow.domain.decision import Decision
from pfflow.domain.facts import Facts
from pfflow.domain.notices import Notice
from pfflow.domain.parties import Contact, Party, PartyKind
from pfflow.domain.project import Project
from pfflow.domain.words import Stage, Words
from pfflow.ports import NotHeld
from pfflow.rendering.letters import Renderer
from pfflow.store import SqlStore

HERE = Path(__file__).parent
CONNECTIONS, BATCH = 4, 50
BANKS, READERS = 10, 200
"""Banks, and their readers together; a project has one bank and writes to its twenty readers."""
REDIS = "redis://127.0.0.1:6379/11"
WORKERS = 2
"""Processes that send, of Celery and of pfflow beside it."""
TARGETS = {"ratio_to_floor": 0.8, "ratio_to_prefect_tasks": 8.0, "ratio_to_celery": 2.5}
"""What each ratio is to reach: how many letters pfflow sends in the time in which the other sends one."""
MEMORY_TARGET = 30.0
"""MiB that ten times as many waiting letters may add to the peak."""
DRAINED = 20_000
"""How many letters are sent while memory is watched."""


# pfflow


def the_facts(projects: int) -> Facts:
    """Give the readers and the projects that letters are about."""
    readers = (facts(number) for number in range(READERS))
    return Facts(
        parties=tuple(Party(party_ref=f"BANK-{n}", name=f"Bank {n}", kind=PartyKind.LENDER) for n in range(BANKS)),
        contacts=tuple(
            Contact(
                contact_ref=f"C-{number}",
                party_ref=f"BANK-{number * BANKS // READERS}",
                name=told["name"],
                email=told["email"],
                language="zh-CN" if told["language"] == "zh" else "en",
                timezone=told["reader_zone"],
            )
            for number, told in enumerate(readers)
        ),
        projects=tuple(
            Project(project_ref=f"G{n:04}", name="x", sponsor_ref=f"BANK-{n % BANKS}") for n in range(projects)
        ),
    )


def notice(number: int) -> Notice:
    """Give letter `number` as communication decides it."""
    told = facts(number)
    return Notice(
        key=told["key"],
        project_ref=told["project_ref"],
        obligation_key=told["obligation"],
        rung="remind-1bd-debtor",
        contact_ref=f"C-{number % READERS}",
        template="communication/reminder",
        noticed_at=NOTICED_AT,
        context={
            "house": {"name": HOUSE, "email": SENDER},
            "project": {"ref": told["project_ref"], "name": told["project"], "phase": "implementation"},
            "obligation": {
                "key": told["obligation"],
                "kind": "report",
                "title": told["title"],
                "due_at": told["due_at"],
                "due_on": told["due_on"],
                "unadjusted_on": told["due_on"],
                "provisional": False,
                "timezone": told["timezone"],
                "period_start": told["period_start"],
                "period_end": told["period_end"],
                "minutes": 0,
            },
            "rung": {"name": "remind-1bd-debtor", "action": "remind", "number": 1, "to": "debtor"},
            "debtor": told["debtor"],
            "creditor": told["creditor"],
            "overdue_days": 0,
            "said": [],
            "next": {"action": "escalate", "on": told["next_on"], "to": told["next_to"]},
            "reason": told["reason"],
            "details": {},
        },
    )


def prepared(file: Path, letters: int) -> None:
    """Make pfflow's database with the facts and nothing to send."""
    with SqlStore.open(f"sqlite:///{file}") as store:
        store.migrate()
        store.import_facts(the_facts(-(-letters // by_hand.A_PROJECT)), NOTICED_AT, "benchmark")


def record(store: SqlStore, letters: int, first: int = 0) -> None:
    """Record the letters from the first on, a project's in one transaction, as deciding does."""
    for start in range(first, letters, by_hand.A_PROJECT):
        notices = tuple(map(notice, range(start, min(start + by_hand.A_PROJECT, letters))))
        ref = notices[0].project_ref
        with store.deciding(ref, Stage.COMMUNICATION, NOTICED_AT) as held:
            assert not isinstance(held, NotHeld)
            held.record(Decision(project_ref=ref, stage=Stage.COMMUNICATION, as_of=NOTICED_AT, notices=notices))


def a_mailer(port: int) -> SmtpMailer:
    """Give a mailer as `pfflow dispatch` wires it for a relay."""
    return SmtpMailer(
        SmtpServer(host="127.0.0.1", port=port, security=Security.NONE),
        MailPolicy(live=True, allow=("@bank.example",), cap_per_run=sys.maxsize),
        Sender(Words(HOUSE["zh"], HOUSE["en"]), SENDER, DOMAIN),
        Renderer.of_house().letter,
        _now,
        connections=CONNECTIONS,
    )


def drain(store: SqlStore, mailer: SmtpMailer) -> Drain:
    """Give what `pfflow dispatch` runs."""
    return Drain(store, mailer, _now, f"benchmark-{os.getpid()}", Terms(batch=BATCH))


def _now() -> datetime:
    return datetime.now(UTC)  # noqa: TID251 - the benchmark wires it as pfflow.bootstrap does


def pfflow(file: Path, port: int, letters: int) -> float:
    """Record, send and mark by pfflow; gives the seconds it took."""
    collect_rarely()
    with SqlStore.open(f"sqlite:///{file}") as store:
        began = time.perf_counter()
        record(store, letters)
        counted = asyncio.run(drain(store, a_mailer(port)).run(0))
        took = time.perf_counter() - began
        assert counted == {"sent": letters}, counted
        assert store.verify() == ()
    return took


def pfflow_workers(file: Path, port: int, letters: int) -> float:
    """Record in this process what two others send, started before; gives seconds from first decision to last mark."""
    command = [sys.executable, __file__, "--measure", "worker", "--file", str(file), "--port", str(port)]
    workers = [subprocess.Popen(command, stdout=subprocess.PIPE) for _ in range(WORKERS)]
    collect_rarely()
    database = sqlite3.connect(file, isolation_level=None)
    hello = -(-letters // by_hand.A_PROJECT) * by_hand.A_PROJECT  # one letter more, of a project of its own, as below
    try:
        with SqlStore.open(f"sqlite:///{file}") as store:
            for worker in workers:
                assert worker.stdout is not None
                assert worker.stdout.readline() == b"ready\n"
            record(store, hello + 1, first=hello)
            _until(lambda: _sent(database) == 1, workers[0])
            began = time.perf_counter()
            record(store, letters)
            _until(lambda: _sent(database) == letters + 1, workers[0])
            took = time.perf_counter() - began
            assert store.verify() == ()
            return took
    finally:
        for worker in workers:
            worker.send_signal(signal.SIGTERM)
            worker.wait(60)


async def work(file: Path, port: int) -> None:
    """Send what others record, until this process is ended."""
    collect_rarely()
    with SqlStore.open(f"sqlite:///{file}") as store:
        mailer = a_mailer(port)
        print("ready", flush=True)
        async with mailer.kept_open():
            while True:
                await drain(store, mailer).run(0)
                await asyncio.sleep(0.02)


def peak(file: Path, port: int) -> float:
    """Send what waits, at most so many letters; gives the peak of this process's memory in MiB."""

    async def some(store: SqlStore) -> None:
        draining = asyncio.create_task(drain(store, a_mailer(port)).run(0))
        while not draining.done():
            await asyncio.wait([draining], timeout=1)
            if _sent(database) >= DRAINED:
                draining.cancel()
        with suppress(asyncio.CancelledError):
            await draining

    collect_rarely()
    database = sqlite3.connect(file, isolation_level=None)
    with SqlStore.open(f"sqlite:///{file}") as store:
        asyncio.run(some(store))
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


# Peers


def floor(file: Path, port: int, letters: int) -> float:
    """Record, send and mark by hand; gives the seconds it took."""
    began = time.perf_counter()
    sent = asyncio.run(by_hand.dispatch(file, port, letters, CONNECTIONS, BATCH))
    took = time.perf_counter() - began
    assert sent == letters, sent
    return took


def celery(file: Path, letters: int) -> float:
    """Send the letters by two processes of Celery, started before; gives seconds from first call to last mark."""
    from benchmarks.dispatch_floor.by_celery import app, send  # noqa: PLC0415 - it may not be installed

    queue = app.conf.task_default_queue
    command = [sys.executable, "-m", "celery", "-A", "benchmarks.dispatch_floor.by_celery", "worker"]
    command += [
        "--concurrency",
        str(WORKERS),
        "--queues",
        queue,
        "--without-gossip",
        "--without-mingle",
        "--loglevel",
        "WARNING",
    ]
    worker = subprocess.Popen(command, cwd=HERE.parent)
    try:
        _until(lambda: bool(app.control.ping(timeout=1)), worker)
        send.delay(letters)  # one letter more, so that both sides have said hello
        database = by_hand.opened(file)
        _until(lambda: _sent(database) == 1, worker)
        began = time.perf_counter()
        for number in range(letters):
            send.delay(number)
        _until(lambda: _sent(database) == letters + 1, worker)
        return time.perf_counter() - began
    finally:
        worker.send_signal(signal.SIGTERM)
        worker.wait(60)


def _sent(database: Any) -> int:  # noqa: ANN401 - a sqlite3 connection
    (count,) = database.execute("SELECT count(*) FROM letter WHERE status = 'sent'").fetchone()
    return int(count)


def _until(reached: Callable[[], bool], process: subprocess.Popen[bytes], seconds: float = 300) -> None:
    give_up_at = time.monotonic() + seconds
    while not reached():
        if process.poll() is not None:
            raise SystemExit(f"{process.args!r} ended with {process.returncode}")
        if time.monotonic() > give_up_at:
            raise SystemExit(f"{process.args!r} took longer than {seconds} seconds")
        time.sleep(0.02)  # noqa: TID251 - another process is waited for


def prefect(letters: int) -> float:
    """Send the letters as Prefect tasks in one flow run; gives the seconds it took after a first run of a few."""
    from benchmarks.dispatch_floor.by_prefect import send_all  # noqa: PLC0415 - it takes seconds, and only this needs it

    asyncio.run(send_all(letters, 8))
    began = time.perf_counter()
    asyncio.run(send_all(0, letters))
    return time.perf_counter() - began


# The run


@contextmanager
def sink() -> Iterator[tuple[int, str]]:
    """Run a server that takes everything and keeps nothing; gives its port and its name."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    found = shutil.which("smtp-sink", path="/usr/sbin:/usr/libexec/postfix:" + os.defpath)
    as_whom = ["-u", "nobody"] if os.getuid() == 0 else []  # it refuses to run as root
    name, command = "smtp-sink", [str(found), *as_whom, f"127.0.0.1:{port}", "256"]
    if found is None:
        name, command = "benchmarks/sink.py", [sys.executable, str(HERE / "sink.py"), str(port)]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        try:
            _until(lambda: _answers(port), process, 30)
            yield port, name
        finally:
            process.kill()


def _answers(port: int) -> bool:
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=1) as connection:
            return connection.recv(3) == b"220"
    except OSError:
        return False


@contextmanager
def prefect_server(folder: Path) -> Iterator[dict[str, str]]:
    """Run a Prefect server on a database of its own; gives what a client's environment says."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = str(free.getsockname()[1])
    said = {
        "PREFECT_HOME": str(folder / "prefect"),
        "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
        "PREFECT_LOGGING_LEVEL": "ERROR",
        "PREFECT_LOGGING_TO_API_ENABLED": "false",
        "DO_NOT_TRACK": "1",
    }
    command = [sys.executable, "-m", "prefect", "server", "start", "--host", "127.0.0.1", "--port", port, "--no-ui"]
    environment = {**os.environ, **said}  # noqa: TID251 - a child process gets the parent's environment
    quiet = subprocess.DEVNULL
    with subprocess.Popen(command, env=environment, stdout=quiet, stderr=quiet, start_new_session=True) as process:
        try:
            _until(lambda: _healthy(port), process, 120)
            yield said | {"PREFECT_API_URL": f"http://127.0.0.1:{port}/api"}
        finally:
            os.killpg(process.pid, signal.SIGKILL)  # its own children too


def _healthy(port: str) -> bool:
    from urllib.request import urlopen  # noqa: PLC0415 - only here

    try:
        with urlopen(f"http://127.0.0.1:{port}/api/health", timeout=2) as answer:
            return bool(answer.status == 200)
    except OSError:
        return False


def missing() -> dict[str, str]:
    """Give the peers that cannot be measured here, and why."""
    why: dict[str, str] = {}
    if find_spec("celery") is None or find_spec("redis") is None:
        why["celery"] = "Celery is not installed; pip install 'pfflow[bench]' brings it"
    else:
        try:
            socket.create_connection(("127.0.0.1", 6379), timeout=2).close()
        except OSError as error:
            why["celery"] = f"no Redis answers at {REDIS}: {error}"
    if find_spec("prefect") is None:
        why["prefect"] = "Prefect is not installed"
    return why


def child(name: str, letters: int, file: Path, port: int, environment: Mapping[str, str]) -> float:
    """Run one measurement in a process of its own; gives its figure."""
    command = [sys.executable, __file__, "--measure", name, "--letters", str(letters)]
    command += ["--file", str(file), "--port", str(port)]
    own = {"DISPATCH_FILE": str(file), "DISPATCH_PORT": str(port), **environment}
    everything = {**os.environ, **own}  # noqa: TID251 - as above
    said = subprocess.run(command, env=everything, capture_output=True, text=True, check=False)
    if said.returncode:
        raise SystemExit(f"{name} failed:\n{said.stderr}\n{said.stdout}")
    return float(said.stdout.split()[-1])


def measure(name: str, letters: int, file: Path, port: int) -> float:
    """Run one measurement in this process."""
    match name:
        case "pfflow":
            return pfflow(file, port, letters)
        case "floor":
            return floor(file, port, letters)
        case "celery":
            return celery(file, letters)
        case "prefect":
            return prefect(letters)
        case "pfflow_workers":
            return pfflow_workers(file, port, letters)
        case "worker":
            asyncio.run(work(file, port))
        case "memory":
            return peak(file, port)
    raise ValueError(name)


def run(letters: int, few: int, rounds: int, report: Callable[[str], None]) -> dict[str, Any]:
    """Run every measurement in every round; gives medians of microseconds a letter, and the ratios."""
    lacking = missing()
    for why in lacking.values():
        report(why)
    micros: dict[str, list[float]] = {}
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        prepared(folder / "pfflow.template", letters + by_hand.A_PROJECT)
        by_hand.prepared(folder / "peers.template")
        port, sink_name = stack.enter_context(sink())
        environment: dict[str, dict[str, str]] = {}
        if "prefect" not in lacking:
            environment["prefect"] = stack.enter_context(prefect_server(folder))
        for number in range(rounds):
            for name in ("floor", "pfflow", "celery", "pfflow_workers", "prefect"):
                if name in lacking:
                    continue
                report(f"round {number + 1} of {rounds}: {name}")
                file = folder / f"{name}-{number}.db"
                shutil.copy(folder / ("pfflow.template" if name.startswith("pfflow") else "peers.template"), file)
                count = few if name == "prefect" else letters
                prefix = {"DISPATCH_BROKER": REDIS, "DISPATCH_QUEUE": f"dispatch-{os.getpid()}-{number}"}
                seconds = child(name, count, file, port, environment.get(name, prefix))
                micros.setdefault(name, []).append(seconds / count * 1e6)
                file.unlink()
    median = {name: statistics.median(some) for name, some in micros.items()}
    return {
        "letters": letters,
        "prefect_letters": few,
        "rounds": rounds,
        "sink": sink_name,
        "median_us_per_letter": {name: round(value, 1) for name, value in median.items()},
        "all_us_per_letter": {name: [round(value, 1) for value in some] for name, some in micros.items()},
        "missing": lacking,
        "ratio_to_floor": _ratio(median, "floor", "pfflow"),
        "ratio_to_prefect_tasks": _ratio(median, "prefect", "pfflow"),
        "ratio_to_celery": _ratio(median, "celery", "pfflow_workers"),
    }


def _ratio(median: Mapping[str, float], peer: str, ours: str) -> float | None:
    return round(median[peer] / median[ours], 3) if peer in median else None


def memory(report: Callable[[str], None]) -> dict[str, Any]:
    """Give the peak memory in MiB of sending with 10,000 and with 100,000 letters waiting, and the difference."""
    peaks = {}
    with tempfile.TemporaryDirectory() as name, sink() as (port, _):
        for letters in (10_000, 100_000):
            report(f"{letters} letters are recorded")
            file = Path(name) / f"{letters}.db"
            prepared(file, letters)
            with SqlStore.open(f"sqlite:///{file}") as store:
                record(store, letters)
            report(f"{letters} letters wait, {min(letters, DRAINED)} are sent")
            peaks[str(letters)] = round(child("memory", letters, file, port, {}), 1)
    return {"peak_mib": peaks, "added_mib": round(peaks["100000"] - peaks["10000"], 1), "target_mib": MEMORY_TARGET}


def main() -> None:
    """Run as a program."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--letters", type=int, default=2000)
    parser.add_argument("--prefect-letters", type=int, default=200)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--memory", action="store_true", help="peak memory instead of time")
    parser.add_argument("--json", action="store_true", help="figures as one line of JSON on standard output")
    parser.add_argument("--measure", help=argparse.SUPPRESS)
    parser.add_argument("--file", type=Path, default=Path(), help=argparse.SUPPRESS)
    parser.add_argument("--port", type=int, default=0, help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.measure:
        print(measure(asked.measure, asked.letters, asked.file, asked.port))
        return

    def report(line: str) -> None:
        print(line, file=sys.stderr, flush=True)

    figures = memory(report) if asked.memory else run(asked.letters, asked.prefect_letters, asked.rounds, report)
    if asked.json:
        print(json.dumps(figures))
        return
    for name, value in figures.items():
        target = TARGETS.get(name)
        said = (
            "" if target is None or value is None else f"   target {target}: {'kept' if value >= target else 'MISSED'}"
        )
        print(f"{name:24}{value}{said}")


if __name__ == "__main__":
    main()
