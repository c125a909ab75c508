"""What a model author needs: the class to subclass, and the types of common parameters."""

from maxfw.model.aliases import alias_flask_restplus
from maxfw.model.model import MAXModelWrapper
from maxfw.model.parameters import Probability, UploadedImage

__all__ = ["MAXModelWrapper", "Probability", "UploadedImage"]

# Old model folders import flask_restplus, some of them before they import maxfw.core.
alias_flask_restplus()
