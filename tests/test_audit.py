"""The audit log: the contract's vectors, every kind of change named, cut tails, torn lines, appends that survive a kill."""

import json
import multiprocessing
import os
import signal
import subprocess
import sys

import pytest

from lobjax import audit
from lobjax.__main__ import main
from lobjax.errors import InputError

RECORDS = [
    (1700000000000000000, "trainer", "register", {"model": "cnn-lstm", "version": 3, "sha256": "ab" * 32}),
    (1700000001000000000, "risk", "halt", {"reason": "drawdown", "drawdown": "0.0512"}),
    (1700000062000000000, "alice", "resume", {"note": "Überprüft"}),
]
HASHES = [
    "0d8f0b7f442848daea65ec4c295ecc8721d61d9654fa064a82a9aa99329656d3",
    "bdedb9b6a790f938bb7c7f929e27c93b66b8960d7cbb2d5872044ddfcca5b842",
    "14c33abde73c1280624d195f693babb93f586dc9ae1da52308297d300e14cccc",
]


@pytest.fixture
def log(tmp_path):
    path = tmp_path / "new" / "audit.jsonl"
    for ts_ns, actor, kind, payload in RECORDS:
        audit.append(path, actor, kind, payload, ts_ns)
    return path


def lines_of(path):
    return path.read_text(encoding="utf-8").splitlines()


def write(path, records):
    path.write_text("".join(json.dumps(record, ensure_ascii=False) + "\n" for record in records), encoding="utf-8")


def test_the_contracts_vectors(log):
    records = [json.loads(line) for line in lines_of(log)]
    assert [record["hash"] for record in records] == HASHES
    assert audit.canonical(records[0]).decode() == (
        '{"actor":"trainer","kind":"register","payload":{"model":"cnn-lstm","sha256":"' + "ab" * 32 + '","version":3},"prev":"'
        + "0" * 64 + '","seq":0,"ts_ns":1700000000000000000}'
    )  # fmt: skip
    assert audit.verify(log) == (3, HASHES[2], -1, "", 0)


def test_keys_are_sorted_by_code_point():
    record = {"b": "", "é": "", "a": "", "\uffff": "", "\U00010000": "", "B": ""}
    assert [*json.loads(audit.canonical(record))] == ["B", "a", "b", "é", "\uffff", "\U00010000"]


def change(records, at, **fields):
    records[at] = {**records[at], **fields}


@pytest.mark.parametrize(
    ("tamper", "first_bad", "why"),
    [
        (lambda r: change(r, 1, payload={"reason": "none"}), 1, "not that of its content"),
        (lambda r: change(r, 1, actor="nobody"), 1, "not that of its content"),
        (lambda r: change(r, 0, ts_ns=0), 0, "not that of its content"),
        (lambda r: change(r, 2, prev="0" * 64), 2, "prev is not"),
        (lambda r: change(r, 2, seq=7), 2, "seq is 7, not 2"),
        (lambda r: change(r, 1, payload={"drawdown": 0.0512}), 1, "neither a whole number"),
        (lambda r: change(r, 1, payload={"ok": True}), 1, "neither a whole number"),
        (lambda r: change(r, 1, payload={"n": 10**30}), 1, "neither a whole number"),
        (lambda r: change(r, 1, note="more"), 1, "a key 'note'"),
        (lambda r: r[1].pop("hash"), 1, "hash"),
        (lambda r: r[1].pop("payload"), 1, "no 'payload'"),
        (lambda r: change(r, 1, hash=5), 1, "hash is not a text"),
        (lambda r: r.pop(1), 1, "seq is 2, not 1"),
        (lambda r: r.pop(0), 0, "seq is 1, not 0"),
        (lambda r: r.insert(1, r[0]), 1, "seq is 0, not 1"),
        (lambda r: r.reverse(), 0, "seq is 2, not 0"),
        (lambda r: r.__setitem__(1, [1]), 1, "no JSON object"),
        (lambda r: r.__setitem__(1, "x"), 1, "no JSON object"),
    ],
)
def test_verify_names_the_first_bad_record(log, tamper, first_bad, why):
    records = [json.loads(line) for line in lines_of(log)]
    tamper(records)
    write(log, records)
    found = audit.verify(log)
    assert found.first_bad == found.count == first_bad and why in found.why and not found.ok


def test_a_record_changed_and_hashed_anew_breaks_the_next(log):
    records = [json.loads(line) for line in lines_of(log)]
    change(records, 0, actor="nobody")
    change(records, 0, hash=audit.hashed(records[0]))
    write(log, records)
    assert audit.verify(log)[2:4] == (1, "its prev is not the hash of the record before")


@pytest.mark.parametrize(
    "line", ["", " ", "{", "nonsense", '{"seq":1,"seq":1}', '{"a":NaN}', "[" * 500, '"\\ud800"', "\udcff", "null"]
)
def test_a_line_that_is_none_is_named(log, line):
    kept = lines_of(log)
    log.write_bytes("\n".join([kept[0], line, *kept[2:], ""]).encode("utf-8", "surrogateescape"))
    assert audit.verify(log).first_bad == 1


def test_a_cut_tail_shows_only_beside_what_was_kept(log):
    kept = (3, HASHES[2])
    log.write_text("\n".join(lines_of(log)[:2]) + "\n", encoding="utf-8")
    assert audit.verify(log).ok
    assert audit.verify(log, kept).first_bad == 2 and "tail was cut" in audit.verify(log, kept).why
    audit.append(log, "mallory", "resume", {})
    assert "written anew" in audit.verify(log, kept).why
    audit.append(log, "mallory", "resume", {})
    assert "4 records, 3 were expected" in audit.verify(log, kept).why


@pytest.mark.parametrize(
    "payload", [{"x": 0.5}, {"x": None}, {"x": True}, {"x": [1, 2.0]}, {1: "x"}, {"x": "\ud800"}, {"x": 2**63}]
)
def test_append_refuses_what_has_no_canonical_form(log, payload):
    before = log.read_bytes()
    with pytest.raises(InputError, match="decimals are texts"):
        audit.append(log, "a", "b", payload)
    with pytest.raises(InputError):
        audit.append(log, "", "b", {})
    assert log.read_bytes() == before


def test_a_torn_line_is_reported_and_mended_only_when_asked(log):
    whole = log.read_bytes()
    for length in (1, 30, len(whole.splitlines()[-1])):
        log.write_bytes(whole + whole.splitlines()[-1][:length])
        found = audit.verify(log)
        assert (found.first_bad, found.torn, found.count) == (3, length, 3) and "torn" in found.why
        with pytest.raises(InputError, match="torn"):
            audit.append(log, "a", "b", {})
        assert log.stat().st_size == len(whole) + length
        assert audit.mend(log, "alice") == length
        assert audit.verify(log).ok and log.with_name("audit.jsonl.torn-3").stat().st_size == length
        assert json.loads(lines_of(log)[-1])["kind"] == "mend"
    with pytest.raises(InputError, match="nothing to mend"):
        audit.mend(log, "alice")


def test_append_refuses_a_damaged_last_record(log):
    log.write_text(log.read_text(encoding="utf-8").replace("alice", "bob"), encoding="utf-8")
    with pytest.raises(InputError, match="damaged"):
        audit.append(log, "a", "b", {})


def add_many(path, name, many):
    for k in range(many):
        audit.append(path, name, "count", {"k": k})


def test_several_processes_append_at_once(tmp_path):
    path = tmp_path / "audit.jsonl"
    context = multiprocessing.get_context("spawn")
    workers = [context.Process(target=add_many, args=(path, f"w{i}", 30)) for i in range(3)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert audit.verify(path).count == 90 and audit.verify(path).ok


def test_appends_survive_a_kill(tmp_path):
    """Whatever was acknowledged before the kill is there, and the log goes on."""
    path = tmp_path / "audit.jsonl"
    code = f"""
from lobjax import audit
for k in range(10**6):
    audit.append({str(path)!r}, "w", "x", {{"k": k}})
    print(k, flush=True)
"""
    process = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    seen = [process.stdout.readline() for _ in range(20)]
    os.kill(process.pid, signal.SIGKILL)
    seen += process.stdout.readlines()
    process.wait()
    process.stdout.close()
    acknowledged = sum(line.endswith("\n") for line in seen)
    found = audit.verify(path)
    assert found.count in (acknowledged, acknowledged + 1) and (found.ok or found.torn)


def verified(capsys, *words):
    try:
        main(["audit", "verify", *map(str, words)])
        status = 0
    except SystemExit as stop:
        status = stop.code
    said = capsys.readouterr()
    return status, said.out, said.err


def test_the_command(log, capsys, tmp_path):
    status, out, err = verified(capsys, log)
    assert (status, err) == (0, "") and json.loads(out) == {
        "ok": True, "records": 3, "last": HASHES[2], "first_bad": -1, "why": "",
    }  # fmt: skip
    assert verified(capsys, log, "--count", 3, "--last", HASHES[2])[0] == 0
    status, out, err = verified(capsys, log, "--count", 4, "--last", HASHES[2])
    assert status == 1 and json.loads(out)["first_bad"] == 3 and err.count("\n") == 1
    log.write_text(log.read_text(encoding="utf-8").replace("drawdown", "drawup"), encoding="utf-8")
    status, out, err = verified(capsys, log)
    assert status == 1 and json.loads(out)["first_bad"] == 1 and "record 1" in err
    for words, said in (
        ((tmp_path / "gone",), "no such audit log"),
        ((tmp_path,), "folder"),
        ((log, "--count", 3), "go together"),
    ):
        status, out, err = verified(capsys, *words)
        assert status == 2 and not out and err.count("\n") == 1 and said in err
