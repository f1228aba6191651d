"""The grammar of a proof: what the AWS CLI signs is taken apart, and nothing else gets as far as STS."""

import base64
import re
from datetime import UTC, datetime, timedelta
from urllib.parse import quote, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from onboarding.core import proof
from onboarding.core.arns import RoleArn
from onboarding.core.proof import ProofRefused, Refusal, StsAnswer, judge, take_apart

NOW = datetime(2026, 11, 23, 9, 30, 0, tzinfo=UTC)
TOKYO = "https://sts.ap-northeast-1.amazonaws.com"
ORIGINS = {TOKYO: "ap-northeast-1", "https://sts.eu-west-1.amazonaws.com": "eu-west-1"}
PARAMETERS = {
    "Action": "GetCallerIdentity",
    "Version": "2011-06-15",
    "X-Amz-Algorithm": "AWS4-HMAC-SHA256",
    "X-Amz-Credential": "ASIAIOSFODNN7EXAMPLE/20261123/ap-northeast-1/sts/aws4_request",
    "X-Amz-Date": "20261123T092930Z",
    "X-Amz-Expires": "60",
    "X-Amz-SignedHeaders": "host;x-k8s-aws-id",
    "X-Amz-Security-Token": "IQoJb3JpZ2luX2VjEXAMPLE//////////wEaDmFwLW5vcnRoZWFzdC0xIkcwRQIhAK+a/b==",
    "X-Amz-Signature": "0123456789abcdef" * 4,
}
ROLE = RoleArn.parse("arn:aws:iam::303040405050:role/partners/HoshinoTelemetry")
SESSION = "arn:aws:sts::303040405050:assumed-role/HoshinoTelemetry/ken.ishida@hoshino.example"


def query(**override: str | None) -> str:
    """`X_Amz_Date="…"` changes that parameter, None leaves it out."""
    changed = {name.replace("_", "-"): value for name, value in override.items()}
    meant = {name: value for name, value in (PARAMETERS | changed).items() if value is not None}
    return "&".join(f"{name}={quote(value, safe='')}" for name, value in meant.items())


def token(url: str) -> str:
    return "k8s-aws-v1." + base64.urlsafe_b64encode(url.encode()).decode().rstrip("=")


def refusal(pasted: str) -> Refusal:
    with pytest.raises(ProofRefused) as refused:
        take_apart(pasted, origins=ORIGINS, at=NOW)
    return refused.value.refusal


def refused_query(text: str) -> Refusal:
    return refusal(token(f"{TOKYO}/?{text}"))


def test_what_the_aws_cli_signs_comes_out_as_it_went_in() -> None:
    request = take_apart(token(f"{TOKYO}/?{query()}"), origins=ORIGINS, at=NOW)
    assert request.origin == TOKYO
    assert request.query == query()


@pytest.mark.parametrize(
    "around",
    [
        '{{"kind": "ExecCredential", "status": {{"token": "{}"}}}}\n',
        "kind: ExecCredential\nstatus:\n  token: {}\n",
        "client.authentication.k8s.io/v1beta1\tExecCredential\nSTATUS\t2026-11-23T09:44:00Z\t{}\n",
        "\r\n  {}  \r\n",
        "{0}\n{0}",
    ],
)
def test_the_token_is_found_in_whatever_the_command_prints(around: str) -> None:
    assert take_apart(around.format(token(f"{TOKYO}/?{query()}")), origins=ORIGINS, at=NOW).query == query()


@pytest.mark.parametrize(
    "pasted",
    ["", "k8s-aws-v1.", "arn:aws:iam::303040405050:role/x", f"{token('a')} {token('b')}", "k8s-aws-v1." + "A" * 40_000],
)
def test_a_paste_without_exactly_one_token_is_refused(pasted: str) -> None:
    assert refusal(pasted) is Refusal.NO_TOKEN


@pytest.mark.parametrize(
    "origin",
    [
        "http://sts.ap-northeast-1.amazonaws.com",
        "https://sts.amazonaws.com",
        "https://sts.ap-northeast-1.amazonaws.com:443",
        "https://sts.ap-northeast-1.amazonaws.com:8443",
        "https://sts.ap-northeast-1.amazonaws.com.",
        "https://STS.ap-northeast-1.amazonaws.com",
        "https://sts.ap-northeast-1.amazonaws.com@evil.example",
        "https://evil.example@sts.ap-northeast-1.amazonaws.com",
        "https://user:secret@sts.ap-northeast-1.amazonaws.com",
        "https://sts.ap-northeast-1.amazonaws.com.evil.example",
        "https://sts.ap-northeast-1.amazonaws.com.cn",
        "https://sts.cn-north-1.amazonaws.com.cn",
        "https://sts.us-gov-west-1.amazonaws.com",
        "https://sts.xx-nowhere-1.amazonaws.com",
        "https://sts.ap-northeast-1.amazonaws.com\\@evil.example",
        "https://169.254.169.254",
        "https://[::1]",
        "https://localhost",
        "ftp://sts.ap-northeast-1.amazonaws.com",
    ],
)
def test_any_other_address_than_that_of_a_regions_sts_is_refused(origin: str) -> None:
    assert refusal(token(f"{origin}/?{query()}")) is Refusal.ELSEWHERE


@pytest.mark.parametrize(
    "url",
    [
        f"{TOKYO}?{query()}",
        f"{TOKYO}/x?{query()}",
        f"{TOKYO}//?{query()}",
        f"{TOKYO}/{query()}",
        f"{TOKYO}/?{query()}#",
        f"{TOKYO}/?{query()}#fragment",
        f"{TOKYO}/?",
        f"{TOKYO}/?&{query()}",
        f"{TOKYO}/?{query()}&",
        f"{TOKYO}/?{query()};Action=AssumeRole",
        f" {TOKYO}/?{query()}",
        f"{TOKYO}/?{query()}\n",
        f"{TOKYO}/?{query()}\r\nX-Evil: 1",
        f"//sts.ap-northeast-1.amazonaws.com/?{query()}",
        f"{TOKYO}/?{query()}é",
        "",
    ],
)
def test_a_url_of_another_shape_is_refused(url: str) -> None:
    assert refusal(token(url)) in {Refusal.ALTERED, Refusal.NO_TOKEN}


@pytest.mark.parametrize("name", PARAMETERS)
def test_each_parameter_stands_exactly_once_whatever_its_case(name: str) -> None:
    pair = f"{name}={quote(PARAMETERS[name], safe='')}"
    assert refused_query(f"{query()}&{pair}") is Refusal.ALTERED
    assert refused_query(f"{pair.lower()}&{query()}") is Refusal.ALTERED
    assert refused_query(query().replace(pair, pair.replace(name, name.upper() if name != name.upper() else "x"))) is (
        Refusal.ALTERED
    )
    assert refused_query(query(**{name.replace("-", "_"): None})) is Refusal.ALTERED


@pytest.mark.parametrize("name", PARAMETERS)
@pytest.mark.parametrize("more", ["", "\n", "\0", " ", "&Action=AssumeRole", "%0d%0a", "/", "é"])
def test_a_value_that_is_not_as_it_must_be_is_refused(name: str, more: str) -> None:
    value = PARAMETERS[name] + more if more else ""
    if name == "X-Amz-Security-Token" and more == "/":
        return
    assert refused_query(query(**{name.replace("-", "_"): value})) in {Refusal.ALTERED, Refusal.ELSEWHERE}


@pytest.mark.parametrize(
    ("changed", "why"),
    [
        ({"Action": "AssumeRole"}, Refusal.ALTERED),
        ({"Action": "getcalleridentity"}, Refusal.ALTERED),
        ({"Version": "2010-05-08"}, Refusal.ALTERED),
        ({"RoleArn": "arn:aws:iam::303040405050:role/x"}, Refusal.ALTERED),
        ({"X_Amz_SignedHeaders": "host"}, Refusal.ALTERED),
        ({"X_Amz_SignedHeaders": "x-k8s-aws-id"}, Refusal.ALTERED),
        ({"X_Amz_SignedHeaders": "host;x-k8s-aws-id;x-other"}, Refusal.ALTERED),
        ({"X_Amz_SignedHeaders": "x-k8s-aws-id;host"}, Refusal.ALTERED),
        ({"X_Amz_Algorithm": "AWS4-ECDSA-P256-SHA256"}, Refusal.ALTERED),
        ({"X_Amz_Expires": "0"}, Refusal.ALTERED),
        ({"X_Amz_Expires": "604800"}, Refusal.ALTERED),
        ({"X_Amz_Expires": "-60"}, Refusal.ALTERED),
        ({"X_Amz_Expires": "٦٠"}, Refusal.ALTERED),
        ({"X_Amz_Signature": "F" * 64}, Refusal.ALTERED),
        ({"X_Amz_Credential": "AKIAIOSFODNN7EXAMPLE/20261123/ap-northeast-1/sts/aws4_request"}, Refusal.LONG_TERM_KEY),
        (
            {
                "X_Amz_Credential": "AKIAIOSFODNN7EXAMPLE/20261123/ap-northeast-1/sts/aws4_request",
                "X_Amz_Security_Token": None,
            },
            Refusal.LONG_TERM_KEY,
        ),
        ({"X_Amz_Credential": "ASIAIOSFODNN7EXAMPLE/20261122/ap-northeast-1/sts/aws4_request"}, Refusal.ALTERED),
        ({"X_Amz_Credential": "ASIAIOSFODNN7EXAMPLE/20261123/ap-northeast-1/iam/aws4_request"}, Refusal.ALTERED),
        ({"X_Amz_Credential": "ASIAIOSFODNN7EXAMPLE/20261123/eu-west-1/sts/aws4_request"}, Refusal.ELSEWHERE),
        ({"X_Amz_Date": "20261123T092759Z"}, Refusal.STALE),
        ({"X_Amz_Date": "20261123T093101Z"}, Refusal.AHEAD),
        ({"X_Amz_Date": "20261123T996199Z"}, Refusal.ALTERED),
    ],
)
def test_what_the_aws_cli_would_not_sign_is_refused_with_its_reason(
    changed: dict[str, str | None], why: Refusal
) -> None:
    assert refused_query(query(**changed)) is why


@pytest.mark.parametrize("seconds", [-60, 0, 119, 120])
def test_two_minutes_are_enough_and_clocks_may_differ_a_little(seconds: int) -> None:
    date = (NOW - timedelta(seconds=seconds)).strftime("%Y%m%dT%H%M%SZ")
    assert take_apart(token(f"{TOKYO}/?{query(X_Amz_Date=date)}"), origins=ORIGINS, at=NOW)


def test_an_endpoint_without_a_region_stands_for_every_region() -> None:
    sandbox = "http://127.0.0.1:4566"
    pasted = token(f"{sandbox}/?{query()}")
    assert take_apart(pasted, origins={sandbox: ""}, at=NOW).origin == sandbox
    assert refusal(pasted) is Refusal.ELSEWHERE


@given(st.text(max_size=400))
def test_no_text_is_a_proof_by_chance(text: str) -> None:
    for pasted in (text, f"k8s-aws-v1.{text}", token(text), token(f"{TOKYO}/?{text}")):
        with pytest.raises(ProofRefused):
            take_apart(pasted, origins=ORIGINS, at=NOW)


@given(
    place=st.integers(0, len(f"{TOKYO}/?{query()}")),
    removed=st.integers(0, 3),
    added=st.text(st.sampled_from("aA0/?#@:&=%;. \r\n\t\0é-"), max_size=4),
)
def test_whatever_is_changed_what_is_sent_is_the_whitelist_to_an_address_of_sts(
    place: int, removed: int, added: str
) -> None:
    url = f"{TOKYO}/?{query()}"
    changed = url[:place] + added + url[place + removed :]
    try:
        request = take_apart(token(changed), origins=ORIGINS, at=NOW)
    except ProofRefused:
        return
    assert request.origin in ORIGINS
    sent = urlsplit(f"{request.origin}/?{request.query}")
    assert (sent.scheme, sent.netloc, sent.path, sent.fragment) == ("https", TOKYO[8:], "/", "")
    pairs = [pair.split("=") for pair in sent.query.split("&")]
    assert sorted(name for name, _ in pairs) == sorted(PARAMETERS)
    assert all(re.fullmatch(r"(?:[A-Za-z0-9._~-]|%[0-9A-F]{2})+", value) for _, value in pairs)


def test_the_session_that_sts_names_is_the_proof() -> None:
    answer = StsAnswer(200, arn=SESSION)
    assert judge(answer, role_arn=ROLE, session_name="ken.ishida@hoshino.example") == SESSION


@pytest.mark.parametrize(
    ("answer", "why"),
    [
        (StsAnswer(301), Refusal.REDIRECTED),
        (StsAnswer(307), Refusal.REDIRECTED),
        (StsAnswer(403, error_code="SignatureDoesNotMatch"), Refusal.NOT_SIGNED_SO),
        (StsAnswer(403, error_code="ExpiredToken"), Refusal.NOT_ACCEPTED),
        (StsAnswer(403, error_code="InvalidClientTokenId"), Refusal.NOT_ACCEPTED),
        (StsAnswer(403, arn=SESSION), Refusal.NOT_ACCEPTED),
        (StsAnswer(200), Refusal.NOT_ACCEPTED),
        (StsAnswer(200, arn="arn:aws:iam::303040405050:user/ken"), Refusal.NOT_ACCEPTED),
        (StsAnswer(200, arn=f"{SESSION}\n"), Refusal.NOT_ACCEPTED),
        (StsAnswer(200, arn=SESSION.replace("303040405050", "111122223333")), Refusal.OTHER_ROLE),
        (StsAnswer(200, arn=SESSION.replace("arn:aws:", "arn:aws-cn:")), Refusal.OTHER_ROLE),
        (StsAnswer(200, arn=SESSION.replace("HoshinoTelemetry", "HoshinoOther")), Refusal.OTHER_ROLE),
        (StsAnswer(200, arn=SESSION.replace("ken.ishida", "mio.tanabe")), Refusal.OTHER_PERSON),
        (StsAnswer(200, arn=SESSION.replace("ken.ishida", "KEN.ishida")), Refusal.OTHER_PERSON),
    ],
)
def test_any_other_answer_of_sts_is_refused_with_its_reason(answer: StsAnswer, why: Refusal) -> None:
    with pytest.raises(ProofRefused) as refused:
        judge(answer, role_arn=ROLE, session_name="ken.ishida@hoshino.example")
    assert refused.value.refusal is why


@pytest.mark.parametrize("host", ["portal.example.com", "127.0.0.1", "::1", "x;rm -rf ~"])
def test_a_nonce_is_one_word_that_names_the_portal_and_no_cluster_can_have(host: str) -> None:
    nonce = proof.new_nonce(host)
    assert re.fullmatch(r"tobiishi\.[a-z0-9.-]+\.[0-9a-f]{32}", nonce)
    assert nonce != proof.new_nonce(host)
    # The names that EKS takes: https://docs.aws.amazon.com/eks/latest/APIReference/API_CreateCluster.html
    assert not re.fullmatch(r"[0-9A-Za-z][A-Za-z0-9_-]*", nonce)
    assert proof.command(nonce, profile="willow").split() == [
        *("aws", "eks", "get-token", "--cluster-name"),
        nonce,
        *("--profile", "willow"),
    ]
