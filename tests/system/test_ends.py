"""How nodes end, and how they refuse to begin: with a status, a reason, and nothing left behind."""

from __future__ import annotations

import contextlib
import http.client
import re
import signal
import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path

import dns.message
import pytest

from registry import outcomes
from resolver.codecs.handle.message import Message, decode_message, encode_message
from resolver.codecs.handle.reply import error_to
from tests.support.everywhere import values_of
from tests.support.processes import IDNODE, Topology, environment, free_base, idnode, serve, up
from tests.support.wire import LATER, Tcp, Udp, dns_request, framed, resolve_request

NODES = 5
MINIMAL = (Path(__file__).parents[2] / "configs" / "minimal.toml").read_text("utf-8")


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_everything_cleanly(number, provisioned):
    with up("minimal", provisioned, nodes=NODES) as topology:
        values_of(topology.node("recursive"), "88.901/BOT-000001")
        ended = topology.process.stop(number)
        assert (ended.status, ended.err) == (0, "draining\n")
        assert not (provisioned / "running.json").exists()
        assert (provisioned / "lock").read_text() == ""
        assert all(_is_free(topology, offset) for offset in (1, 2, 3, 4, 5))
    assert idnode("nodes", "--data", provisioned).status == 3


def _is_free(topology: Topology, offset: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        probe.bind(("127.0.0.1", topology.base + 30 + offset))
    return True


class SlowRoot:
    """What stands for the root node and answers when it is told to: nobody knows anything."""

    def __init__(self, port: int) -> None:
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind(("127.0.0.1", port))
        self.socket.settimeout(10)

    def __enter__(self) -> SlowRoot:
        return self

    def __exit__(self, *exc: object) -> None:
        self.socket.close()

    def asked(self) -> None:
        """Wait for a question, and leave it."""
        self.socket.recvfrom(512, socket.MSG_PEEK)

    def answer(self) -> None:
        """Answer whatever comes, and has come, until nothing comes any more."""
        with contextlib.suppress(TimeoutError):
            while True:
                request, peer = self.socket.recvfrom(512)
                refused = error_to(decode_message(request), 100, serial=1, now=LATER)
                self.socket.sendto(encode_message(refused), peer)
                self.socket.settimeout(0.2)


def test_questions_under_way_are_answered_before_the_end(provisioned):
    base = free_base(2)
    handle = resolve_request("88.901/SLOW")
    question = dns_request("slow.h.901.88.id.test").to_wire()
    # Behind each slow question one that is answered at once: then the slow one has been read.
    quick_handle = encode_message(Message(op_code=999, request_id=7))
    quick_dns = dns_request("elsewhere.test", flags=0).to_wire()
    with (
        SlowRoot(base + 11) as root,
        serve("recursive", "minimal", provisioned, base=base) as topology,
        contextlib.closing(http.client.HTTPConnection("127.0.0.1", base + 2)) as web,
        Udp(topology.node("recursive").handle) as handle_udp,
        Tcp(topology.node("recursive").handle) as handle_tcp,
        Udp(topology.node("recursive").dns) as dns_udp,
        Tcp(topology.node("recursive").dns) as dns_tcp,
    ):
        web.request("GET", "/api/handles/88.901/SLOW")
        assert decode_message(handle_udp.ask(handle, quick_handle)).request_id == 7
        handle_tcp.send(handle + quick_handle)
        assert decode_message(handle_tcp.handle_message()).request_id == 7
        assert dns_udp.ask(question, quick_dns)[:2] == quick_dns[:2]
        dns_tcp.send(framed(question) + framed(quick_dns))
        assert dns_tcp.dns_message()[:2] == quick_dns[:2]
        root.asked()
        topology.process.send(signal.SIGTERM)
        assert topology.process.err.until("draining")
        root.answer()
        for reply in (handle_udp.receive(), handle_tcp.handle_message()):
            assert decode_message(reply).response_code == outcomes.NOT_FOUND.handle
        for reply in (dns_udp.receive(), dns_tcp.dns_message()):
            assert dns.message.from_wire(reply).rcode() == outcomes.NXDOMAIN
        assert web.getresponse().status == outcomes.NOT_FOUND.http
        assert topology.process.wait().status == 0


#: Service -> kind of socket and offset of the port.
SERVICES = {
    "Handle over UDP": (socket.SOCK_DGRAM, 1),
    "Handle over TCP": (socket.SOCK_STREAM, 1),
    "HTTP": (socket.SOCK_STREAM, 2),
    "DNS over UDP": (socket.SOCK_DGRAM, 3),
    "DNS over TCP": (socket.SOCK_STREAM, 3),
    "HTTPS": (socket.SOCK_STREAM, 4),
    "metrics": (socket.SOCK_STREAM, 5),
}


@contextlib.contextmanager
def taken(kind: int, port: int) -> Iterator[None]:
    with socket.socket(socket.AF_INET, kind) as holder:
        holder.bind(("127.0.0.1", port))
        if kind == socket.SOCK_STREAM:
            holder.listen()
        yield


def test_nodes_go_on_when_nobody_reads_their_output(provisioned):
    command = [IDNODE, "up", "minimal", "--data", provisioned, "--base-port", free_base(NODES)]
    with subprocess.Popen(
        list(map(str, command)),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=environment(),
    ) as process:
        assert process.stdout
        assert process.stderr
        assert process.stdout.readline().startswith("ready")
        process.stdout.close()
        # Slower than the greeting, which has been tried when this has its answer.
        fresh = idnode("resolve", "88.901/BOT-000001", "--fresh", "--data", provisioned)
        process.send_signal(signal.SIGTERM)
        assert process.stderr.read() == "draining\n"
        assert (fresh.status, process.wait(10)) == (0, 0)


@pytest.mark.parametrize("service", SERVICES)
def test_a_port_in_use_is_named(service, provisioned):
    kind, offset = SERVICES[service]
    base = free_base(1)
    with taken(kind, base + offset):
        options = ("--data", provisioned, "--base-port", base)
        done = idnode("serve", "recursive", "minimal", *options)
    assert (done.status, done.out) == (1, "")
    for words in (f"port {base + offset} on 127.0.0.1", service, "recursive", "--base-port"):
        assert words in done.err
    assert done.err.count("\n") == 1


def test_one_port_in_use_stops_all_nodes(provisioned):
    base = free_base(NODES)
    with taken(socket.SOCK_DGRAM, base + 43):
        done = idnode("up", "minimal", "--data", provisioned, "--base-port", base)
    assert (done.status, done.out) == (1, "")
    assert f"port {base + 43} on 127.0.0.1, for DNS over UDP of node distillery" in done.err
    assert not (provisioned / "running.json").exists()
    with up("minimal", provisioned, nodes=NODES, base=base) as topology:
        assert topology.process.stop().status == 0


@pytest.mark.parametrize("processes", [1, 2])
def test_a_worker_says_which_port_is_in_use(processes, provisioned):
    base = free_base(NODES)
    with taken(socket.SOCK_STREAM, base + 42):
        options = ("--data", provisioned, "--base-port", base, "--processes", processes)
        done = idnode("up", "minimal", *options)
    assert (done.status, done.out) == (1, "")
    assert f"port {base + 42} on 127.0.0.1, for HTTP of node distillery" in done.err
    assert not (provisioned / "running.json").exists()


def test_a_second_start_on_the_same_data_names_the_first(provisioned):
    with up("minimal", provisioned, nodes=NODES) as topology:
        options = ("--data", provisioned, "--base-port", free_base(NODES))
        second = idnode("up", "minimal", *options)
        assert (second.status, second.out) == (1, "")
        assert f"idnode up minimal (process {topology.process.pid})" in second.err
        assert "--data" in second.err
        assert topology.idnode("nodes", "--json").json == topology.ready
        assert topology.process.stop().status == 0


def test_an_address_of_another_machine(tmp_path):
    path = tmp_path / "far.toml"
    path.write_text(MINIMAL.replace('role = "root"', 'role = "root"\nhost = "192.0.2.1"'), "utf-8")
    status, said = _refused("serve", "root", path, "--data", tmp_path / "data")
    assert (status, "192.0.2.1, for metrics of node root, cannot be opened" in said) == (
        1,
        True,
    )


COMMANDS = {
    "nodes": ("nodes",),
    "nodes --json": ("nodes", "--json"),
    "resolve": ("resolve", "88.901/X"),
    "resolve --trace": ("resolve", "88.901/X", "--trace"),
    "register": ("register", "88.901/X", "--set", "1:URL=x"),
    "sample": ("sample", "--count", "1"),
}


@pytest.mark.parametrize("command", COMMANDS)
def test_where_nothing_runs_a_command_says_so(command, tmp_path):
    done = idnode(*COMMANDS[command], "--data", tmp_path)
    assert (done.status, done.out) == (3, "")
    assert "idnode up" in done.err


def test_a_server_that_is_not_there_is_no_answer(provisioned):
    place = f"127.0.0.1:{free_base(1) + 1}"
    for via in ("hdl+udp", "hdl+tcp", "http", "https", "dns"):
        done = idnode("resolve", "88.901/X", "--via", f"{via}://{place}")
        assert (done.status, done.out) == (3, "")
        assert "nobody answered" in done.err


#: What is wrong -> an edit of the minimal topology, and what the message must name.
BAD_TOPOLOGIES: dict[str, tuple[str, str, str]] = {
    "unknown key": ('product = "baijiu"', 'produkt = "baijiu"', "produkt"),
    "duplicate prefix": ('"88.901.100"', '"88.901.7"', "node[4].prefix"),
    "orphan": ('parent = "baijiu"', 'parent = "nobody"', "node[4].parent"),
    "cycle": ('parent = "chongqing"', 'parent = "baijiu"', "node[3].parent"),
    "port clash": (
        'name = "distillery"',
        'name = "distillery"\nbase_port = 2675',
        "node[4].base_port",
    ),
    "no TOML": ('role = "root"', "role = root", "line"),
    "bad digits": ('prefix = "88"', 'prefix = "8X"', "node[2].prefix"),
}


@pytest.mark.parametrize("case", BAD_TOPOLOGIES)
def test_a_bad_topology_is_told_by_file_and_key(case, tmp_path):
    old, new, named = BAD_TOPOLOGIES[case]
    assert old in MINIMAL
    path = tmp_path / "bad.toml"
    path.write_text(MINIMAL.replace(old, new, 1), "utf-8")
    checked = idnode("config", "check", path)
    assert (checked.status, checked.out) == (2, "")
    assert path.name in checked.err
    assert named in checked.err
    started = idnode("up", path, "--data", tmp_path / "data")
    assert (started.status, started.err) == (2, checked.err)
    assert not (tmp_path / "data").exists()


def test_a_missing_topology(tmp_path):
    for command in (("config", "check"), ("up",)):
        done = idnode(*command, tmp_path / "none.toml")
        assert (done.status, "none.toml" in done.err, done.out) == (2, True, "")


def _refused(*arguments: object) -> tuple[int, str]:
    """Exit status and the one line that is said."""
    done = idnode(*arguments)
    assert done.out == ""
    assert re.fullmatch(r"idnode: [^\n]*\n", done.err), done.err
    return done.status, done.err


@pytest.mark.parametrize("place", ["/proc/idnode", "/dev/null/idnode", "/sys/idnode"])
def test_a_data_directory_that_cannot_be_written(place):
    status, said = _refused("up", "minimal", "--data", place, "--base-port", free_base(NODES))
    assert (status, place in said) == (1, True)


#: File in the data directory -> what it holds instead.
SPOILT = {
    "baijiu/node.db": b"This is no database. " * 400,
    "root/server.key": b"no key",
    "recursive/tls.pem": b"no certificate",
}


@pytest.mark.parametrize("name", SPOILT)
def test_a_spoilt_file_is_named(name, used_data):
    (used_data / name).write_bytes(SPOILT[name])
    for left_over in used_data.glob(f"{name}-*"):
        left_over.unlink()
    options = ("--data", used_data, "--base-port", free_base(NODES))
    status, said = _refused("up", "minimal", *options)
    assert (status, name in said) == (1, True)


def test_spoilt_credentials_are_named(tmp_path):
    (tmp_path / "credentials.json").write_bytes(b'{"accounts": [')
    options = ("--data", tmp_path, "--base-port", free_base(NODES))
    status, said = _refused("serve", "chongqing", "minimal", *options)
    assert (status, "credentials.json" in said) == (1, True)


def test_a_spoilt_list_of_what_runs(tmp_path):
    (tmp_path / "running.json").write_bytes(b"{")
    status, said = _refused("nodes", "--data", tmp_path)
    assert (status, "running.json" in said) == (3, True)


def test_a_node_for_others_is_not_started_with_files_that_others_may_read(
    used_data: Path, tmp_path: Path
) -> None:
    exposed = tmp_path / "exposed.toml"
    exposed.write_text(MINIMAL.replace("[[node]]\n", '[[node]]\nhost = "192.0.2.1"\n'))
    (used_data / "credentials.json").chmod(0o644)
    ended = idnode("up", exposed, "--data", used_data)
    assert ended.status == 2
    assert "private-files" in ended.err
    assert f"chmod go= {used_data}/credentials.json" in ended.err
