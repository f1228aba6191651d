"""The table of contents: sign-in is allauth's, all else is onboarding's."""

from django.urls import include, path, re_path

from onboarding.views import errors, preferences

urlpatterns = [
    # The address is how the organization knows a person, and what the partner's log shows: nobody changes their own.
    re_path("^sign-in/(email|confirm-email)/", errors.not_found),
    path("sign-in/", include("allauth.urls")),
    path("language/", preferences.switch_language, name="set_language"),
    path("", include("onboarding.urls")),
]

handler400 = errors.bad_request
handler403 = errors.forbidden
handler404 = errors.not_found
handler500 = errors.server_error
