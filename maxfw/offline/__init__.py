"""Jobs over folders and lists: the answers of the server, without a server, one line for each input."""

from maxfw.offline.answering import Answering
from maxfw.offline.inputs import Job, Listing
from maxfw.offline.job import Summary, run
from maxfw.offline.order import Order
from maxfw.offline.results import Results

__all__ = ["Answering", "Job", "Listing", "Order", "Results", "Summary", "run"]
