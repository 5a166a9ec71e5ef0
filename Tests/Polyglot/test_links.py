"""Links that are cut, and daemons that die."""
import hashlib, os, time
import grpc, pytest
from enroll import enroll
from gatehouse.tools.v1 import call_pb2 as tools


def test_a_cut_link_loses_and_repeats_no_byte(client, own_toold):
    call = client.exec(own_toold.id, "sh", "-c", "for i in $(seq 200); do echo line $i; sleep 0.01; done")
    for line in (b"line 20\n", b"line 60\n", b"line 120\n"):
        call.read_until(line)
        own_toold.cut()
    output = call.result()
    assert output.stdout == b"".join(b"line %d\n" % i for i in range(1, 201))
    assert output.exit.code == 0
    assert call.states, "the cut was not told"


def test_stdin_goes_on_after_a_cut(client, own_toold):
    call = client.exec(own_toold.id, "cat", stdin=True)
    for number in range(50):
        call.write(b"line %d\n" % number)
        if number % 20 == 10:
            call.read_until(b"line %d\n" % number)
            own_toold.cut()
    call.close_stdin()
    assert call.result().stdout == b"".join(b"line %d\n" % i for i in range(50))


def test_much_output_survives_cuts(client, own_toold):
    call = client.exec(own_toold.id, "sh", "-c", "for i in $(seq 16); do head -c 1000000 /dev/urandom; sleep 0.05; done")
    for count in (2_000_000, 9_000_000):
        while len(call.output.bytes["stdout"]) < count:
            call.next("chunk")
        own_toold.cut()
    output = call.result()
    total = next(t for t in output.exit.totals if t.stream == tools.STREAM_STDOUT)
    assert (len(output.stdout), hashlib.sha256(output.stdout).digest()) == (16_000_000, total.sha256)


def test_a_daemon_that_dies_loses_its_calls_and_says_so(client, own_toold):
    call = client.exec(own_toold.id, "sh", "-c", "echo up; exec sleep 20")
    call.read_until(b"up\n")
    own_toold.kill()
    own_toold.start()  # a new instance, which does not know the call
    exit = call.result().exit
    assert exit.outcome == tools.OUTCOME_LOST
    assert client.exec(own_toold.id, "echo", "again").result().stdout == b"again\n"


def test_a_join_token_works_once(plane, toold):
    with pytest.raises(grpc.RpcError) as error:
        enroll(plane.open, plane.state / "pki" / "ca.pem", toold.token)
    assert error.value.code() == grpc.StatusCode.UNAUTHENTICATED
    assert "used" in error.value.details()


def test_an_unknown_join_token_is_refused(plane):
    with pytest.raises(grpc.RpcError) as error:
        enroll(plane.open, plane.state / "pki" / "ca.pem", "made-up")
    assert error.value.code() == grpc.StatusCode.UNAUTHENTICATED
