"""What `portal-config` asks, in JSON: a token, its person's config, and a proof."""

import structlog
from django.http import HttpRequest, HttpResponse, HttpResponseBase, JsonResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.cache import get_conditional_response
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_POST, require_safe

from onboarding import messages
from onboarding.aws import AwsUnavailable
from onboarding.core import client_access
from onboarding.core.errors import OnboardingError
from onboarding.core.proof import ProofRefused
from onboarding.forms.client import CodeForm, DeviceCodeForm, DeviceForm, ProofForm
from onboarding.limits import by_address, by_person, limited, slow_down
from onboarding.permissions import ClientRequest, client_token_required, open_to_anyone, open_to_programs
from onboarding.services import access, computers, config, proofs
from onboarding.services.client_file import client_file
from onboarding.services.computers import CodeRefused, IssuedToken
from onboarding.services.config_tag import config_tag

log = structlog.get_logger(__name__)


@open_to_anyone
@require_safe
def download(_request: HttpRequest) -> HttpResponse:
    """For `curl` too, which has no session: the file holds nothing of this portal."""
    headers = {"Content-Disposition": 'attachment; filename="portal-config"'}
    return HttpResponse(client_file().content, content_type="text/x-python; charset=utf-8", headers=headers)


@open_to_programs
@require_POST
@limited(20, by_address, refuse=slow_down)
def ask_device_code(request: HttpRequest) -> HttpResponse:
    form = DeviceForm(request.POST)
    if not form.is_valid():
        return _refused("invalid_request")
    codes = computers.ask_by_device_code(form.cleaned_data["computer"])
    page = request.build_absolute_uri(reverse("onboarding:employees:connect_by_code"))
    return JsonResponse(
        {
            "device_code": codes.device_code,
            "user_code": codes.user_code,
            "verification_uri": page,
            "verification_uri_complete": f"{page}?user_code={codes.user_code}",
            "expires_in": int(client_access.DEVICE_CODE_LIFETIME.total_seconds()),
            "interval": int(client_access.POLL_INTERVAL.total_seconds()),
        }
    )


@open_to_programs
@require_POST
@limited(120, by_address, refuse=slow_down)
def token(request: HttpRequest) -> HttpResponse:
    try:
        issued = _issued(request)
    except CodeRefused as error:
        return _refused(error.error)
    left = issued.token.expires_at - timezone.now()
    return JsonResponse({"access_token": issued.text, "token_type": "Bearer", "expires_in": int(left.total_seconds())})


@client_token_required
@require_POST
def disconnect(request: ClientRequest) -> HttpResponse:
    computers.end_token(request.client_token)
    return HttpResponse(status=204)


@client_token_required
@require_safe
@limited(60, by_person, refuse=slow_down)
def own_config(request: ClientRequest) -> HttpResponseBase:
    """An unchanged config is told by its tag, before anything is rendered."""
    entitled = access.entitled_roles(request.user, at=timezone.now())
    tag = f'"{config_tag(request.user, entitled)}"'
    if unchanged := get_conditional_response(request, etag=tag):
        return unchanged
    try:
        snippet = config.config_snippet(request.user, entitled)
    except OnboardingError as error:
        log.error("config_not_offered", person=str(request.user.uuid), error=type(error).__name__)  # noqa: TRY400
        return _refused("withheld", status=503)
    if snippet.roles and request.method == "GET":
        access.note_config_taken(request.user, list(snippet.roles))
    return JsonResponse({"config": snippet.text}, headers={"ETag": tag})


@client_token_required
@require_POST
@limited(10, by_person, refuse=slow_down)
def begin_proof(request: ClientRequest) -> HttpResponse:
    """The role is named by its ARN, for a person may call its profile as they like."""
    entitled = access.entitled_roles(request.user, at=timezone.now())
    role = entitled.filter(role_arn=request.POST.get("role_arn", "").replace("\0", "")).first()
    if role is None or not role.role_arn:
        return _refused("unknown_role", status=404)
    try:
        begun = proofs.begin_proof(request.user, role)
    except proofs.NothingToProve as error:
        return _refused("nothing_to_prove", messages.sentence(error), status=409)
    return JsonResponse({"nonce": begun.nonce})


@client_token_required
@require_POST
@limited(10, by_person, refuse=slow_down)
@sensitive_post_parameters("pasted")
def send_proof(request: ClientRequest) -> HttpResponse:
    form = ProofForm(request.POST)
    if not form.is_valid():
        return _refused("invalid_request")
    try:
        proven = proofs.complete_proof(request.user, **form.cleaned_data)
    except ProofRefused as error:
        return _refused(error.refusal, messages.sentence(error), status=422)
    except AwsUnavailable as error:
        log.warning("proof_not_checked", code=error.code)
        return _refused("sts_unavailable", messages.sts_unavailable(), status=503)
    return JsonResponse({"session_arn": proven.session_arn})


def _issued(request: HttpRequest) -> IssuedToken:
    device = DeviceCodeForm(request.POST)
    if device.is_valid():
        return computers.exchange_device_code(device.cleaned_data["device_code"])
    brought = CodeForm(request.POST)
    if brought.is_valid():
        return computers.exchange_code(**brought.cleaned_data)
    raise CodeRefused("invalid_request")


def _refused(error: str, message: str = "", *, status: int = 400) -> JsonResponse:
    return JsonResponse({"error": error, "message": message}, status=status)
