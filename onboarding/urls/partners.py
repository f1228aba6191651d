"""Addresses of the pages for partner admins, who hold a link."""

from django.urls import include, path

from onboarding.views.partners import handoff, links

app_name = "partners"
_role = [
    path("return", handoff.return_role, name="return"),
    path("deleted", handoff.say_deleted, name="deleted"),
    path("check", handoff.check, name="check"),
    path("verdict", handoff.verdict, name="verdict"),
    path("trust-policy.json", handoff.trust_policy, name="trust_policy"),
    path("make-role.sh", handoff.commands, name="commands"),
]
urlpatterns = [
    path("i/", links.lost, name="lost"),
    path("i/asked/", links.asked, name="asked"),
    path("i/<path:link_token>", links.open_link, name="open"),
    path("handoff/<uuid:uuid>/", handoff.page, name="handoff"),
    path("handoff/<uuid:uuid>/copied", handoff.note_copied, name="copied"),
    path("handoff/<uuid:uuid>/new-link", links.ask_for_new_link, name="new_link"),
    path("handoff/<uuid:uuid>/roles/<uuid:role_uuid>/", include(_role)),
]
