"""All actions of the bot, built with what they need."""

from __future__ import annotations

from rasa_sdk import Action

from actions.appeal import (
    AppealSolved,
    AppealStatus,
    FileAppeal,
    HearMatter,
    HearSupplement,
    NotSolved,
    OpenSupplement,
    SubmitAppeal,
    SupplementAppeal,
    WithdrawAppeal,
)
from actions.chat import Deny, Rate
from actions.desk import Desk
from actions.handoff import RequestPerson
from actions.match_explain import ExplainMatch, MatchMissing
from actions.match_form import AskNext, HearFacts, ShowMatches
from actions.matching import MatchPolicies
from actions.policy import (
    AnswerPolicy,
    ApplicationStatus,
    ApplyProject,
    CoreFallback,
    Fallback,
    OutOfScope,
)
from knowledge.live import Live

_ON_POLICIES = (
    AnswerPolicy,
    ApplyProject,
    ApplicationStatus,
    AskNext,
    CoreFallback,
    Deny,
    ExplainMatch,
    Fallback,
    HearFacts,
    MatchMissing,
    MatchPolicies,
    OutOfScope,
    ShowMatches,
)
_ON_THEIR_OWN = (HearMatter, HearSupplement)
_ON_THE_DESK = (
    AppealSolved,
    AppealStatus,
    FileAppeal,
    NotSolved,
    OpenSupplement,
    Rate,
    RequestPerson,
    SubmitAppeal,
    SupplementAppeal,
    WithdrawAppeal,
)


def build_actions(live: Live, desk: Desk) -> list[Action]:
    """One instance of every action named in ``bot/domain``."""
    return [
        *(kind(live, desk) for kind in _ON_POLICIES),
        *(kind(desk) for kind in _ON_THE_DESK),
        *(kind() for kind in _ON_THEIR_OWN),
    ]
