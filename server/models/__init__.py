"""Model capabilities, and fitting requests to them.

A parameter that a model refuses never fails a request: it is dropped or emulated, with a warning.
"""

from server.models.fitting import FittedRequest, fit_request
from server.models.table import Capabilities, capabilities_of
from server.models.tools import name_refused_tool

__all__ = ["Capabilities", "FittedRequest", "capabilities_of", "fit_request", "name_refused_tool"]
