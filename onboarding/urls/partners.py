"""Addresses of the pages for partner admins, who hold a link."""

from django.urls import include, path

from onboarding.views.partners import handoff, links, recipient, summary

app_name = "partners"
_role = [
    path("return", handoff.return_role, name="return"),
    path("deleted", handoff.say_deleted, name="deleted"),
    path("check", handoff.check, name="check"),
    path("verdict", handoff.verdict, name="verdict"),
    path("check-trust", handoff.check_trust, name="check_trust"),
    path("trust-policy.json", handoff.trust_policy, name="trust_policy"),
    path("permissions-policy.json", handoff.permissions_policy, name="permissions_policy"),
    path("forms/<str:form>/<str:way>", handoff.form, name="form"),
    path("create-stack", handoff.create_stack, name="create_stack"),
    path("withdraw", handoff.withdraw, name="withdraw"),
]
urlpatterns = [
    path("i/", links.lost, name="lost"),
    path("i/asked/", links.asked, name="asked"),
    path("i/too-often/", links.opened_too_often, name="too_many"),
    path("i/<path:link_token>", links.open_link, name="open"),
    path("handoff/<uuid:uuid>/", handoff.page, name="handoff"),
    path("handoff/<uuid:uuid>/summary/", summary.page, name="summary"),
    path("handoff/<uuid:uuid>/summary/<str:name>", summary.sheet, name="sheet"),
    path("handoff/<uuid:uuid>/recipient/", recipient.page, name="recipient"),
    path("handoff/<uuid:uuid>/recipient/mail", recipient.mail_code, name="mail_code"),
    path("handoff/<uuid:uuid>/copied", handoff.note_copied, name="copied"),
    path("handoff/<uuid:uuid>/new-link", links.ask_for_new_link, name="new_link"),
    path("handoff/<uuid:uuid>/roles/<uuid:role_uuid>/", include(_role)),
]
