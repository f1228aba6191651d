"""Before the page, where an admin wants it: does mail to the registered address reach whoever opened the link?"""

from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods, require_POST

from onboarding.core.errors import OnboardingError
from onboarding.forms.partners import RecipientForm
from onboarding.messages import sentence
from onboarding.permissions import InvitedRequest, is_verified, link_required, note_verified
from onboarding.services import recipients


@link_required
@require_http_methods(["GET", "HEAD", "POST"])
def page(request: InvitedRequest) -> HttpResponse:
    if is_verified(request) or not request.invitation.verify_recipient:
        return redirect("onboarding:partners:handoff", request.invitation.uuid)
    form = RecipientForm(request.POST or None)
    if form.is_valid():
        try:
            recipients.check_code(request.invitation, form.cleaned_data["code"])
        except OnboardingError as error:
            form.add_error("code", sentence(error))
        else:
            note_verified(request)
            return redirect("onboarding:partners:handoff", request.invitation.uuid)
    return _page(request, form)


@link_required
@require_POST
def mail_code(request: InvitedRequest) -> HttpResponse:
    try:
        recipients.ask_for_code(request.invitation)
    except OnboardingError as error:
        return _page(request, RecipientForm(), notice=sentence(error))
    return redirect("onboarding:partners:recipient", request.invitation.uuid)


def _page(request: InvitedRequest, form: RecipientForm, *, notice: str = "") -> HttpResponse:
    """A newest mail that is still on its way, or was sent lately, is what a code is waited for from."""
    context = {
        "invitation": request.invitation,
        "request_number": request.invitation.reference,
        "form": form,
        "asked": recipients.awaited_mail(request.invitation),
        "notice": notice,
    }
    return render(request, "partners/recipient.html", context)
