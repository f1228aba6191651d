"""The cast of the sample organization: one partner for each way in which onboarding can stand."""

from dataclasses import dataclass
from enum import StrEnum

from onboarding.core.states import State

ADMIN_EMAIL = "mio.tanabe@hoshino.example"
GROUP = "Partner analysts"


class Ending(StrEnum):
    """How far a partner has come, or what it has got wrong."""

    INVITED = "invited"
    IN_USE = "in_use"
    PROVEN = "proven"
    WRONG_EXTERNAL_ID = "wrong_external_id"
    UNSAFE = "unsafe"
    MISSING = "missing"
    REGISTERED = "registered"

    @property
    def is_returned(self) -> bool:
        return self not in {Ending.REGISTERED, Ending.INVITED}

    @property
    def state(self) -> State:
        if self in {Ending.WRONG_EXTERNAL_ID, Ending.MISSING}:
            return State.REFUSED
        return State.PROVEN if self is Ending.IN_USE else State(self)


@dataclass(frozen=True, slots=True, kw_only=True)
class Story:
    ending: Ending
    contact_name: str
    role_name: str
    profile_name: str
    purpose: str
    bucket: str
    language: str = "en"
    is_granted: bool = False

    @property
    def permissions_wanted(self) -> str:
        return f"s3:ListBucket and s3:GetObject on the bucket {self.bucket}. No writing, no deleting, no other service."

    @property
    def permissions_policy(self) -> dict[str, object]:
        resources = [f"arn:aws:s3:::{self.bucket}", f"arn:aws:s3:::{self.bucket}/*"]
        statement = {"Effect": "Allow", "Action": ["s3:ListBucket", "s3:GetObject"], "Resource": resources}
        return {"Version": "2012-10-17", "Statement": [statement]}


# In the order of the sandbox's partner accounts.
STORIES = [
    Story(
        ending=Ending.INVITED,
        contact_name="Ines Okafor",
        role_name="HoshinoTelemetry",
        profile_name="telemetry",
        purpose="Read robot telemetry exports from one S3 bucket for warehouse planning.",
        bucket="willow-telemetry-exports",
    ),
    Story(
        ending=Ending.UNSAFE,
        contact_name="Dóra Varga",
        role_name="HoshinoReportReader",
        profile_name="report-reader",
        purpose="Read the weekly market reports that we have subscribed to.",
        bucket="kestrel-weekly-reports",
        is_granted=True,
    ),
    Story(
        ending=Ending.PROVEN,
        contact_name="Jeanne Moreau",
        role_name="HoshinoStockReader",
        profile_name="stock-reader",
        purpose="Read stock levels of the shops that we supply.",
        bucket="cedarpine-stock-levels",
    ),
    Story(
        ending=Ending.IN_USE,
        contact_name="Tomas Novak",
        role_name="HoshinoAlloyPrices",
        profile_name="alloy-prices",
        purpose="Read price lists for our quotations.",
        bucket="ostrava-price-lists",
        is_granted=True,
    ),
    Story(
        ending=Ending.WRONG_EXTERNAL_ID,
        contact_name="Ruth Calder",
        role_name="HoshinoMeterExport",
        profile_name="meter-export",
        purpose="Read meter readings of our warehouses.",
        bucket="tallgrass-meter-readings",
        is_granted=True,
    ),
    Story(
        ending=Ending.MISSING,
        contact_name="Samir Haddad",
        role_name="HoshinoFleetReader",
        profile_name="fleet-reader",
        purpose="Read the positions of the vans that deliver for us.",
        bucket="birch-fleet-positions",
    ),
    Story(
        ending=Ending.REGISTERED,
        contact_name="山吹 蓮",
        role_name="HoshinoFootageReader",
        profile_name="footage-reader",
        purpose="Read the footage of our product films.",
        bucket="yamabuki-footage",
        language="ja",
    ),
]
