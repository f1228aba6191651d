import pytest
from botocore.stub import ANY, Stubber

from onboarding.aws import AwsUnavailable, clients
from onboarding.aws.clients import TemplateIdentity
from onboarding.aws.s3 import TemplateBucket, put_template

IDENTITY = TemplateIdentity(region="ap-northeast-1", access_key_id="AKIAEXAMPLEEXAMPLE00", secret_access_key="theirs")
BUCKET = TemplateBucket("hoshino-templates", IDENTITY)


@pytest.fixture
def stub():
    clients.s3.cache_clear()
    with Stubber(clients.s3(IDENTITY)) as stubber:
        yield stubber
    clients.s3.cache_clear()


def test_the_template_lies_under_a_random_key_behind_a_signed_link_of_its_region(stub):
    put = {"Bucket": "hoshino-templates", "Key": ANY, "Body": b"Resources: {}", "ContentType": "application/yaml"}
    stub.add_response("put_object", {}, put)
    address = put_template(BUCKET, "Resources: {}")
    assert address.startswith("https://hoshino-templates.s3.")
    assert "X-Amz-Algorithm=AWS4-HMAC-SHA256" in address
    assert "AKIAEXAMPLEEXAMPLE00%2F" in address
    assert "%2Fap-northeast-1%2Fs3%2Faws4_request" in address
    assert "theirs" not in address
    assert len(address) < 1024


def test_a_refusal_is_our_own_trouble_and_names_no_key(stub):
    stub.add_client_error("put_object", "AccessDenied", http_status_code=403)
    with pytest.raises(AwsUnavailable) as refused:
        put_template(BUCKET, "x")
    assert (refused.value.code, refused.value.where) == ("AccessDenied", "put_template")


def test_the_secret_key_is_in_no_text_of_the_identity():
    assert "theirs" not in repr(BUCKET)
