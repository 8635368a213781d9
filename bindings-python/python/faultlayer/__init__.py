"""Faultlayer for tests and for code that may be changed: a plan around any callable.

from faultlayer import Fault, faults, inject, wrap
"""

from ._acting import FaultInjected
from ._errors import (
    FaultlayerError,
    InvalidPlanError,
    MissingExpiryError,
    PlanError,
    Problem,
    TargetError,
    UnreadablePlanError,
)
from ._native import __version__
from ._plan import Fault, Plan, PlanLike
from ._records import Record, Records
from ._scope import faults
from ._wrap import inject, wrap

__all__ = [
    "Fault",
    "FaultInjected",
    "FaultlayerError",
    "InvalidPlanError",
    "MissingExpiryError",
    "Plan",
    "PlanError",
    "PlanLike",
    "Problem",
    "Record",
    "Records",
    "TargetError",
    "UnreadablePlanError",
    "__version__",
    "faults",
    "inject",
    "wrap",
]
