"""What went wrong with a loan as JSON: incidents, evidence, sums, and a correction."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from pydantic import AwareDatetime, Base64Bytes, ConfigDict, Field

from app.http.schemas import ID_LIMIT, Answered, Asked, Id
from app.loans import rules
from app.loans.cases import Case
from app.loans.correct import Truth
from app.loans.incident import CENTS_HIGHEST, Amount, Evidence, Incident, IncidentKind, Purpose
from app.loans.incident import Payer as Pays
from app.loans.incidents import Terms
from app.loans.shapes import ActAsked, Party
from app.loans.states import State
from app.people.viewer import Viewer

PHOTO_LONGEST = 16 * 1024 * 1024  # in base64


class Pictured(ActAsked):
    photo: Base64Bytes | None = Field(
        None, max_length=PHOTO_LONGEST, description="JPEG, PNG or WebP, in base64"
    )


class NewIncident(Pictured):
    model_config = ConfigDict(
        json_schema_extra={"examples": [{"kind": "damage", "words": "The chuck is bent."}]}
    )

    kind: IncidentKind
    words: str = Field(min_length=1, max_length=rules.REASON_LONGEST)
    dispute: bool = Field(False, description="Keeps the loan open until all of it is settled")


class NewEvidence(Pictured):
    model_config = ConfigDict(
        json_schema_extra={"examples": [{"words": "This is how it looked before."}]}
    )

    words: str = Field("", max_length=rules.REASON_LONGEST)


class LeftThere(Pictured):
    model_config = ConfigDict(json_schema_extra={"examples": [{"place": "Behind the blue door"}]})

    place: str = Field(min_length=1, max_length=200)


class TermsAsked(Asked):
    model_config = ConfigDict(
        json_schema_extra={
            "examples": [{"words": "A new chuck.", "cents": 1500, "payer": "borrower"}]
        }
    )

    words: str = Field(min_length=1, max_length=rules.REASON_LONGEST)
    cents: int = Field(0, ge=0, le=CENTS_HIGHEST, description="What one owes the other, if any")
    payer: Pays = Field(Pays.BORROWER, description="ToolShare moves no money")

    def terms(self) -> Terms:
        return Terms(self.words, self.cents, self.payer)


class MediatorAsked(ActAsked):
    model_config = ConfigDict(json_schema_extra={"examples": [{"mediator": 4}]})

    mediator: int = Field(ge=1, lt=ID_LIMIT, description="A person's id")


class NewAmount(Asked):
    model_config = ConfigDict(
        json_schema_extra={"examples": [{"purpose": "deposit", "cents": 2000}]}
    )

    purpose: Purpose = Purpose.DEPOSIT
    cents: int = Field(ge=1, le=CENTS_HIGHEST)
    payer: Pays = Pays.BORROWER


class TruthAsked(ActAsked):
    """What is left out stays as it is known."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "state": "returned",
                    "reason": "Both forgot to press the button.",
                    "back_at": "2026-05-05T18:00:00+02:00",
                }
            ]
        }
    )

    state: State
    reason: str = Field(min_length=1, max_length=rules.REASON_LONGEST)
    start: AwareDatetime | None = None
    end: AwareDatetime | None = None
    out_at: AwareDatetime | None = None
    back_at: AwareDatetime | None = None

    def truth(self) -> Truth:
        return Truth(**self.model_dump(exclude={"version"}))


class WhyAsked(ActAsked):
    model_config = ConfigDict(json_schema_extra={"examples": [{"reason": "The cable is bare."}]})

    reason: str = Field(min_length=1, max_length=rules.REASON_LONGEST)


class EvidenceOut(Answered):
    id: int = Field(examples=[17])
    by: Party
    words: str
    photo: str | None = Field(
        description="Its page's path, for a signed-in browser; only for the two and their mediator"
    )
    at: datetime


class OfferOut(Answered):
    by: Party
    words: str = Field(examples=["A new chuck."])
    cents: int = Field(examples=[1500])
    payer: Pays


class IncidentOut(Answered):
    id: int = Field(examples=[5])
    kind: IncidentKind
    version: int = Field(description="Send it when you accept, so that you accept what you read")
    opened_by: Party
    opened_at: datetime
    evidence: list[EvidenceOut]
    offer: OfferOut | None = Field(description="What one of the two proposes")
    settled_at: datetime | None
    settled_by: Party | None
    result: str


class AmountOut(Answered):
    id: int = Field(examples=[3])
    purpose: Purpose
    cents: int = Field(examples=[2000])
    currency: str = Field(examples=["EUR"])
    payer: Pays
    incident: Id | None
    agreed_at: datetime | None
    paid_at: datetime | None
    back_at: datetime | None


class CaseOut(Answered):
    """For the two, and for a mediator whom they asked."""

    loan: int = Field(examples=[42])
    state: State
    mediator: Party | None
    named: Party | None = Field(description="By one of the two; the other has to agree")
    choice: list[Party] = Field(description="Who could mediate")
    both: bool = Field(description="One of the two is a coordinator: both have to name the same")
    incidents: list[IncidentOut]
    pictures: list[EvidenceOut] = Field(description="Of how it was left when it was brought back")
    amounts: list[AmountOut]


def shape(case: Case, viewer: Viewer, choice: dict[int, str], both: bool) -> CaseOut:
    loan = case.loan
    return CaseOut(
        loan=loan.id,
        state=State(loan.state),
        mediator=_party(case, loan.mediator_id),
        named=_party(case, loan.named_id),
        choice=[Party(id=person_id, name=name) for person_id, name in choice.items()],
        both=both,
        incidents=[_incident(case, one, viewer) for one in case.incidents],
        pictures=_evidence(case, [e for e in case.evidence if e.incident_id is None], viewer),
        amounts=[_amount(one, viewer) for one in case.amounts],
    )


def _incident(case: Case, one: Incident, viewer: Viewer) -> IncidentOut:
    zone, by = viewer.here.zone, _party(case, one.offer_by)
    offer = None
    if by is not None and one.settled_at is None:
        offer = OfferOut(
            by=by, words=one.offer_words, cents=one.offer_cents, payer=Pays(one.offer_payer)
        )
    opened_by = _party(case, one.opened_by)
    assert opened_by is not None, "somebody has opened it"
    return IncidentOut(
        id=one.id,
        kind=IncidentKind(one.kind),
        version=one.version,
        opened_by=opened_by,
        opened_at=one.opened_at.astimezone(zone),
        evidence=_evidence(case, [e for e in case.evidence if e.incident_id == one.id], viewer),
        offer=offer,
        settled_at=one.settled_at and one.settled_at.astimezone(zone),
        settled_by=_party(case, one.settled_by),
        result=one.result,
    )


def _evidence(case: Case, found: Sequence[Evidence], viewer: Viewer) -> list[EvidenceOut]:
    here = viewer.here
    return [
        EvidenceOut(
            id=one.id,
            by=_party(case, one.by_id) or Party(id=None, name=""),
            words=one.words,
            photo=f"{here.path}/evidence/{one.photo_name}-1200.webp" if one.photo_name else None,
            at=one.at.astimezone(here.zone),
        )
        for one in found
    ]


def _amount(one: Amount, viewer: Viewer) -> AmountOut:
    zone = viewer.here.zone
    return AmountOut(
        id=one.id,
        purpose=Purpose(one.purpose),
        cents=one.cents,
        currency=viewer.here.currency,
        payer=Pays(one.payer),
        incident=one.incident_id,
        agreed_at=one.agreed_at and one.agreed_at.astimezone(zone),
        paid_at=one.paid_at and one.paid_at.astimezone(zone),
        back_at=one.back_at and one.back_at.astimezone(zone),
    )


def _party(case: Case, person_id: int | None) -> Party | None:
    if person_id is None:
        return None
    return Party(id=person_id, name=case.names.get(person_id, ""))
