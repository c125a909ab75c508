"""One thread owns the model: requests queue here, leave in batches, and wait for their answers."""

from maxfw.batching.batcher import Batcher
from maxfw.batching.events import Call, Dropped, Event
from maxfw.batching.inputs import shape_key
from maxfw.batching.pending import Pending

__all__ = ["Batcher", "Call", "Dropped", "Event", "Pending", "shape_key"]
