"""Faultlayer for tests and for code that may be changed: a plan around any callable.

from faultlayer import Fault, faults, inject, wrap
"""

from ._errors import (
    EventLoopError,
    FaultlayerError,
    InvalidPlanError,
    MissingExpiryError,
    NoChance,
    NoChanceError,
    PlanError,
    Problem,
    TargetError,
    UnknownErrorTypeError,
    UnreadablePlanError,
)
from ._native import FaultInjected, __version__
from ._plan import Fault, Plan, PlanLike
from ._records import Record, Records
from ._scope import faults
from ._wrap import inject, wrap

__all__ = [
    "EventLoopError",
    "Fault",
    "FaultInjected",
    "FaultlayerError",
    "InvalidPlanError",
    "MissingExpiryError",
    "NoChance",
    "NoChanceError",
    "Plan",
    "PlanError",
    "PlanLike",
    "Problem",
    "Record",
    "Records",
    "TargetError",
    "UnknownErrorTypeError",
    "UnreadablePlanError",
    "__version__",
    "faults",
    "inject",
    "wrap",
]
