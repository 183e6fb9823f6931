"""Goal: the process is a good citizen: it starts from nothing, says where it is, keeps secrets, refuses
a folder that is in use, ends cleanly and comes back with everything.

Method: one server a test, started and stopped as a supervisor would.
"""
import datetime
import ipaddress
import pathlib
import re
import stat
import subprocess

import pytest
import requests
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from harness import ACCOUNT, Server, binary, free_port, plain_environment, request_id, wait_for
from record_shape import check_record

WRONG_SETTINGS = 2


def run(*words: object, folder: pathlib.Path, **variables: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([binary(), *(str(word) for word in words)], text=True, capture_output=True,
                          timeout=60, cwd=folder, env=plain_environment(folder) | variables,
                          stdin=subprocess.DEVNULL)


# ---- start ---------------------------------------------------------------------------------------

def test_first_start(new_server):
    server = new_server(regions=None)
    said = server.stdout()
    assert re.search(rf"^OpenTrail \S+ listens on {re.escape(server.endpoint)}$", said, re.M)
    assert re.search(rf"^credentials: {re.escape(str(server.credentials_path))}", said, re.M)
    assert f"export AWS_ENDPOINT_URL={server.endpoint}" in said
    assert stat.S_IMODE(server.credentials_path.stat().st_mode) == 0o600
    for private in (server.data, server.data / "master.key"):
        assert stat.S_IMODE(private.stat().st_mode) & 0o077 == 0, private
    for profile in ("default", "root"):
        key, secret = server.credentials(profile)
        assert re.fullmatch("AKIA[A-Z2-7]{16}", key) and len(secret) == 40
        assert secret.encode() not in server.all_output()
    me = server.client("sts").get_caller_identity()
    assert me["Arn"] == f"arn:aws:iam::{ACCOUNT}:user/admin"


def test_health_and_metrics(new_server):
    server = new_server()
    for path in ("/healthz", "/readyz"):
        answer = server.get(path)
        assert answer.status_code == 200 and answer.headers["Content-Type"].startswith("text/plain")
    request_id(server.client("iam").create_user(UserName="counted"))
    answer = server.get("/metrics")
    assert answer.headers["Content-Type"].startswith("text/plain; version=0.0.4")
    samples = [line for line in answer.text.splitlines() if line and not line.startswith("#")]
    assert all(re.fullmatch(r'[a-z_:][a-z0-9_:]*(\{.*\})? [-+0-9.eEinfNa]+( \d+)?', line)
               for line in samples), answer.text
    names = {re.split(r"[ {]", line)[0] for line in samples}
    assert any(name.startswith("opentrail_") for name in names)
    assert requests.head(server.endpoint + "/healthz", timeout=10).status_code == 200


def test_another_account_and_environment(new_server):
    server = new_server(environment={"OPENTRAIL_ACCOUNT_ID": "999988887777"})
    assert server.client("sts").get_caller_identity()["Account"] == "999988887777"


# ---- refusals ------------------------------------------------------------------------------------

def test_a_folder_has_one_server(new_server):
    server = new_server()
    second = run("serve", "--data-dir", server.data, "--listen", "127.0.0.1:0", folder=server.folder)
    assert second.returncode == 1
    assert "another opentrail serve is using" in second.stderr and "--data-dir" in second.stderr
    assert server.client("sts").get_caller_identity()["Account"] == ACCOUNT
    port = server.port
    taken = run("serve", "--data-dir", server.folder / "other", "--listen", f"127.0.0.1:{port}",
                folder=server.folder)
    assert taken.returncode == 1 and str(port) in taken.stderr, taken.stderr


@pytest.mark.parametrize("words, text", [
    (("--retention-days", "0"), "retention_days"), (("--account-id", "12"), "account_id"),
    (("--listen", "nowhere"), "listen"), (("--regions", "us-west-2"), "us-east-1"),
    (("--tls-cert", "cert.pem"), "tls.key"), (("--delivery-interval", "soon"), "delivery_interval")])
def test_settings_that_are_none(tmp_path, words, text):
    done = run("serve", "--data-dir", tmp_path / "data", *words, folder=tmp_path)
    assert done.returncode == WRONG_SETTINGS and text in done.stderr, done.stderr
    assert not (tmp_path / "data").exists(), "nothing is made for settings that are wrong"


def test_where_settings_come_from(tmp_path):
    (tmp_path / "opentrail.toml").write_text('digest_interval = 60\nregions = ["us-east-1"]\n')
    done = run("serve", "--config", "opentrail.toml", "--retention-days", 30, "--print-config",
               folder=tmp_path, OPENTRAIL_DELIVERY_INTERVAL="20")
    assert done.returncode == 0
    for line in ('retention_days = .30.  # flag', 'delivery_interval = .20.  # environment',
                 'digest_interval = .60.  # file opentrail.toml', 'threads = .2.  # default'):
        assert re.search(f"^{line}$", done.stdout, re.M), done.stdout
    (tmp_path / "wrong.toml").write_text("colour = 1\n")
    done = run("serve", "--config", "wrong.toml", folder=tmp_path)
    assert done.returncode == WRONG_SETTINGS and "wrong.toml:1: " in done.stderr


# ---- stop and return -----------------------------------------------------------------------------

def test_restart_keeps_everything(new_server):
    server = new_server("--delivery-interval", 1, "--digest-interval", 3,
                        listen=f"127.0.0.1:{free_port()}")
    key = server.new_user("kept", "AdministratorAccess")
    s3 = server.client("s3")
    s3.create_bucket(Bucket="opentrail-kept")
    credentials = server.credentials_path.read_bytes()
    public_keys = server.client("cloudtrail").list_public_keys()["PublicKeyList"]
    before = server.lookup()
    assert server.restart() == 0
    assert server.credentials_path.read_bytes() == credentials
    assert server.client("sts", keys=key).get_caller_identity()["Arn"].endswith("user/kept")
    assert [item["Name"] for item in s3.list_buckets()["Buckets"]] == ["opentrail-kept"]
    assert server.client("cloudtrail").list_public_keys()["PublicKeyList"] == public_keys
    after = server.lookup()
    assert [event for event in after if event in before] == before


def test_stops_while_clients_are_connected(new_server):
    server = new_server()
    with requests.Session() as session:
        assert session.get(server.endpoint + "/healthz", timeout=10).status_code == 200
        assert server.stop() == 0, "an idle connection does not hold the server"


def test_a_running_call_may_end(new_server):
    server = new_server()
    server.client("iam").create_user(UserName="before-the-stop")
    assert server.stop() == 0
    server.start()
    users = server.client("iam").list_users()["Users"]
    assert "before-the-stop" in [user["UserName"] for user in users]


# ---- TLS -----------------------------------------------------------------------------------------

def make_certificate(folder: pathlib.Path) -> tuple[pathlib.Path, pathlib.Path]:
    """A certificate for 127.0.0.1 that vouches for itself: (certificate, key)."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "opentrail test")])
    at = datetime.datetime.now(datetime.UTC)
    address = x509.IPAddress(ipaddress.ip_address("127.0.0.1"))
    made = (x509.CertificateBuilder().subject_name(name).issuer_name(name)
            .public_key(key.public_key()).serial_number(x509.random_serial_number())
            .not_valid_before(at - datetime.timedelta(hours=1))
            .not_valid_after(at + datetime.timedelta(days=1))
            .add_extension(x509.SubjectAlternativeName([address]), critical=False)
            .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
            .sign(key, hashes.SHA256()))
    certificate, private = folder / "cert.pem", folder / "key.pem"
    certificate.write_bytes(made.public_bytes(serialization.Encoding.PEM))
    private.write_bytes(key.private_bytes(serialization.Encoding.PEM,
                                          serialization.PrivateFormat.PKCS8,
                                          serialization.NoEncryption()))
    return certificate, private


@pytest.fixture
def tls_server(new_server, tmp_path) -> Server:
    certificate, private = make_certificate(tmp_path)
    server = new_server("--tls-cert", certificate, "--tls-key", private, start=False)
    server.ca_bundle = certificate
    return server.start()


def test_tls(tls_server):
    assert tls_server.endpoint.startswith("https://")
    assert f"export AWS_CA_BUNDLE={tls_server.ca_bundle}" in tls_server.stdout()
    made = tls_server.client("iam").create_user(UserName="over-tls")
    record, = [record for record in tls_server.records()
               if record.get("requestID") == request_id(made)]
    check_record(record)
    details = record["tlsDetails"]
    assert details["tlsVersion"] in ("TLSv1.2", "TLSv1.3")
    assert details["clientProvidedHostHeader"] == tls_server.endpoint.removeprefix("https://")
    assert re.fullmatch("[A-Z0-9_-]+", details["cipherSuite"])
    assert tls_server.aws_json("iam", "get-user", "--user-name", "over-tls")
    assert tls_server.opentrail("lookup", "--event-name", "CreateUser", "--output", "ndjson").stdout


def test_uploads_over_tls(tls_server):
    """Over TLS the clients stream with a trailing checksum instead of signing the body."""
    s3 = tls_server.client("s3")
    s3.create_bucket(Bucket="opentrail-tls")
    body = bytes(range(256)) * 4096
    s3.put_object(Bucket="opentrail-tls", Key="k", Body=body)
    assert s3.get_object(Bucket="opentrail-tls", Key="k")["Body"].read() == body
    file = tls_server.folder / "big"
    file.write_bytes(body * 9)
    tls_server.aws("s3", "cp", file, "s3://opentrail-tls/big")
    assert s3.get_object(Bucket="opentrail-tls", Key="big")["Body"].read() == body * 9


def test_plain_http_on_a_tls_port(tls_server):
    address = tls_server.endpoint.removeprefix("https://")
    with pytest.raises(requests.RequestException):
        answer = requests.get(f"http://{address}/healthz", timeout=10)
        answer.raise_for_status()
    wait_for("health over TLS", lambda: tls_server.get("/healthz").status_code == 200)
