"""What each model takes, and how a request is fitted to it.

A request never fails because a model refuses one of its parameters: the parameter is left out, or emulated,
and that is said in a warning.
"""

from server.models.fitting import FittedRequest, fit_request
from server.models.table import Capabilities, capabilities_of
from server.models.tools import name_refused_tool

__all__ = ["Capabilities", "FittedRequest", "capabilities_of", "fit_request", "name_refused_tool"]
