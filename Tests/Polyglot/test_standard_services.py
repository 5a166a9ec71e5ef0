"""Reflection and health on the real plane, as stock tools ask for them."""
import grpc, pytest
from google.protobuf import descriptor_pool
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection_pb2 as reflection
from grpc_reflection.v1alpha.proto_reflection_descriptor_database import ProtoReflectionDescriptorDatabase
from client import credentials

SERVICES = {"gatehouse.link.v1.Link", "gatehouse.tools.v1.Tools", "gatehouse.plane.v1.Workspaces",
            "gatehouse.plane.v1.Chats", "grpc.health.v1.Health", "grpc.reflection.v1.ServerReflection",
            "grpc.reflection.v1alpha.ServerReflection"}


@pytest.fixture(scope="module")
def open_channel(plane):
    """Whoever trusts the plane, without a certificate."""
    authorities = (plane.state / "client" / "ca.pem").read_bytes()
    with grpc.secure_channel(plane.open, grpc.ssl_channel_credentials(authorities)) as channel:
        yield channel


def ask(channel, *requests, version="v1"):
    """The messages of v1 and v1alpha are the same; grpcio has the latter's stubs."""
    method = channel.stream_stream(
        f"/grpc.reflection.{version}.ServerReflection/ServerReflectionInfo",
        request_serializer=reflection.ServerReflectionRequest.SerializeToString,
        response_deserializer=reflection.ServerReflectionResponse.FromString)
    return list(method(iter(requests), timeout=10))


@pytest.mark.parametrize("version", ["v1", "v1alpha"])
def test_services_are_listed(client, version):
    answer, = ask(client.channel, reflection.ServerReflectionRequest(list_services=""), version=version)
    names = [each.name for each in answer.list_services_response.service]
    assert SERVICES <= set(names) and names == sorted(names)


def test_a_method_is_called_by_reflection_alone(client):
    pool = descriptor_pool.DescriptorPool(ProtoReflectionDescriptorDatabase(client.channel))
    method = pool.FindServiceByName("gatehouse.plane.v1.Workspaces").FindMethodByName("List")
    from google.protobuf.message_factory import GetMessageClass
    request, response = GetMessageClass(method.input_type), GetMessageClass(method.output_type)
    call = client.channel.unary_unary("/gatehouse.plane.v1.Workspaces/List",
                                      request_serializer=request.SerializeToString, response_deserializer=response.FromString)
    assert [each.id for each in call(request(), timeout=10).workspaces] is not None
    assert "workspaces" in response.DESCRIPTOR.fields_by_name


@pytest.mark.parametrize("service", sorted(SERVICES))
def test_every_service_and_its_messages_resolve(client, service):
    pool = descriptor_pool.DescriptorPool(ProtoReflectionDescriptorDatabase(client.channel))
    for method in pool.FindServiceByName(service).methods:
        assert method.input_type.full_name and method.output_type.full_name


def test_many_questions_on_one_stream(client):
    request = reflection.ServerReflectionRequest(file_containing_symbol="gatehouse.tools.v1.Tools.Invoke")
    missing = reflection.ServerReflectionRequest(file_by_filename="none.proto")
    answers = ask(client.channel, *[request, missing] * 200)
    assert len(answers) == 400
    assert all(each.file_descriptor_response.file_descriptor_proto for each in answers[::2])
    assert {each.error_response.error_code for each in answers[1::2]} == {grpc.StatusCode.NOT_FOUND.value[0]}
    assert answers[1].original_request == missing


def test_reflection_is_for_principals(open_channel):
    with pytest.raises(grpc.RpcError) as error:
        ask(open_channel, reflection.ServerReflectionRequest(list_services=""))
    assert error.value.code() == grpc.StatusCode.UNIMPLEMENTED


def test_health_of_the_plane_and_its_services(open_channel, client):
    for channel in open_channel, client.channel:
        health = health_pb2_grpc.HealthStub(channel)
        for name in "", "gatehouse.tools.v1.Tools":
            answer = health.Check(health_pb2.HealthCheckRequest(service=name), timeout=10)
            assert answer.status == health_pb2.HealthCheckResponse.SERVING
        with pytest.raises(grpc.RpcError) as error:
            health.Check(health_pb2.HealthCheckRequest(service="no.Such"), timeout=10)
        assert error.value.code() == grpc.StatusCode.NOT_FOUND


@pytest.mark.parametrize("name", ["x" * 300_000, "é" * 20_000, "%" * 9_000])
def test_a_long_name_is_answered_all_the_same(client, name):
    """The text repeats it, as far as header fields may be long."""
    with pytest.raises(grpc.RpcError) as error:
        health_pb2_grpc.HealthStub(client.channel).Check(health_pb2.HealthCheckRequest(service=name), timeout=10)
    assert error.value.code() == grpc.StatusCode.NOT_FOUND
    assert name[:100] in error.value.details() and len(error.value.details()) < 4_200


def test_health_is_watched(open_channel):
    health = health_pb2_grpc.HealthStub(open_channel)
    for name, expected in ("", "SERVING"), ("no.Such", "SERVICE_UNKNOWN"):
        watch = health.Watch(health_pb2.HealthCheckRequest(service=name), timeout=10)
        assert health_pb2.HealthCheckResponse.ServingStatus.Name(next(watch).status) == expected
        watch.cancel()
