"""How a person reads the portal: language, time zone, light or dark."""

from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST
from django.views.i18n import set_language

from onboarding.forms.preferences import PreferencesForm
from onboarding.permissions import PersonRequest, open_to_anyone, sign_in_required


@open_to_anyone
@require_POST
def switch_language(request: HttpRequest) -> HttpResponse:
    """Django's own switch; of a person who has signed in, it is remembered."""
    answer = set_language(request)
    chosen = request.POST.get("language")
    if request.user.is_authenticated and chosen in dict(settings.LANGUAGES):
        request.user.language = chosen
        request.user.save(update_fields=["language"])
    return answer


@sign_in_required
@require_http_methods(["GET", "HEAD", "POST"])
def settings_page(request: PersonRequest) -> HttpResponse:
    form = PreferencesForm(request.POST or None, instance=request.user)
    if form.is_valid():
        form.save()
        messages.success(request, _("Saved."))
        return redirect("onboarding:settings")
    return render(request, "settings.html", {"form": form})
