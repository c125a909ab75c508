"""What the model should do next: a queue without threads, clocks or locks, stepped by whoever owns it.

`add` lets a request in or refuses it, `next` says what to run, `settle` takes the outcome, `cancel` forgets a request.
The time is an argument everywhere, so that tests can tell it.
"""

from __future__ import annotations

from collections import Counter, OrderedDict
from collections.abc import Hashable, Iterable, Sequence
from typing import Any

from maxfw.batching.batch import Batch, Trial
from maxfw.batching.cost import Cost
from maxfw.batching.events import Call, Dropped, Ended, Event, Why
from maxfw.batching.failures import WrongLength, is_out_of_memory
from maxfw.batching.pending import Group, Item, Pending
from maxfw.errors import Abandoned, DeadlineExceeded, MaxfwError, Overloaded, RequestError

FOREVER = float("inf")
# A caller may choose among many parameter values and shapes; of so many kinds the costs are remembered.
GROUPS = 64
# A batch is to be ready when this share of the earliest deadline's time is over.
HASTE = 0.9
# After so many requests in a row have failed alone, the model is to blame and not they.
BROKEN_AFTER = 16


class Schedule:
    """The queue of one model."""

    def __init__(
        self,
        *,
        max_batch_size: int,
        max_wait_s: float,
        max_queue: int,
        max_queue_bytes: float,
        is_observed: bool = False,
    ) -> None:
        self.running: Batch | None = None
        self.is_closed = False
        self.waiting = 0
        self.waiting_bytes = 0
        self.events: list[Event] = []
        self.cost = Cost()
        self._max_batch_size = max_batch_size
        self._max_wait_s = max_wait_s
        self._max_queue = max_queue
        self._max_queue_bytes = max_queue_bytes
        self._is_observed = is_observed
        self._groups: OrderedDict[Hashable, Group] = OrderedDict()
        self._filled: dict[Group, None] = {}
        self._backlog_s = 0.0
        self._trials: list[Trial] = []
        self._requests = 0
        self._calls = 0
        self._failures = 0
        self._linger_since: float | None = None
        self._linger_until = 0.0
        self._company = 0
        self._free_since = 0.0

    # Letting in

    def add(self, pending: Pending, inputs: Iterable[tuple[Any, Hashable, int]], now: float) -> bool:
        """Queue a request's inputs, each with its key and its bytes → whether a sleeping thread should look.

        Raises:
            Overloaded: there is no room, or it could not be answered in time.
        """
        items = [
            Item(pending, index, x, self._group(key), size) for index, (x, key, size) in enumerate(inputs)
        ]
        is_free = self.running is None and not self.waiting
        if not is_free:
            self._refuse_if_hopeless(pending, items, now)
        self._requests += 1
        pending.number = self._requests
        pending.items = items
        for item in items:
            self._push(item)
            if self._max_wait_s:
                item.group.arrive(now, 10 * self._max_wait_s)
        if not is_free:  # else it is with the model before anyone asks
            for item in items:
                self._recount(item.group)
        return self._linger_since is None or self._is_worth_a_look(items, now)

    def _refuse_if_hopeless(self, pending: Pending, items: Sequence[Item], now: float) -> None:
        wait_s = self.wait_s(now)
        if self.waiting:  # a request larger than the whole queue is let in when nobody waits
            if self.waiting + len(items) > self._max_queue:
                self._refuse(items, f"{self.waiting} inputs wait for the model already", wait_s)
            if self.waiting_bytes + sum(item.bytes for item in items) > self._max_queue_bytes:
                megabytes = self.waiting_bytes / 1e6
                self._refuse(items, f"inputs of {megabytes:.1f} MB wait for the model already", wait_s)
        slack = pending.deadline - now
        if slack == FOREVER:
            return
        own_s = self._added_s(items)
        if wait_s + own_s > slack:
            if own_s > slack:
                items[0].group.cost.doubt()
            self._refuse(items, "the model is too busy to answer in time", wait_s)

    def _added_s(self, items: Sequence[Item]) -> float:
        """How much longer everything takes with these inputs."""
        if len(items) == 1:  # nearly always
            group = items[0].group
            return group.drain_s(1) - group.backlog_s
        more = Counter(item.group for item in items)
        return sum(group.drain_s(count) - group.backlog_s for group, count in more.items())

    def _refuse(self, items: Sequence[Item], message: str, wait_s: float) -> None:
        self._tell_of_drop("refused", len(items))
        raise Overloaded(message, retry_after=max(wait_s, 0.1))

    def wait_s(self, now: float) -> float:
        """In how many seconds the model will be through with all that is there; may be read without a lock."""
        running = self.running
        rest_s = 0.0 if running is None else running.rest_s(now)
        if self._trials:
            rest_s += sum(trial.items[0].group.cost.seconds(len(trial.items)) for trial in self._trials)
        return rest_s + self._backlog_s

    # Letting out

    def next(self, now: float) -> Batch | float | None:
        """What to run now; or the seconds to wait for company; or nothing, as long as nothing comes."""
        while self._trials:
            trial = self._trials.pop()
            items = [item for item in trial.items if self._may_run(item, now)]
            if trial.verdict is not None and self._is_broken:
                for item in items:
                    self._fail(item, trial.verdict, now)
            elif items:
                return self._start(items, now, is_repeated=True)
        while self._filled:
            group = self._oldest_group()
            linger_s = self._linger_s(group, now) if self._max_wait_s else 0.0
            if linger_s > 0:
                self._linger_until = now + linger_s
                return linger_s
            self._linger_since = None
            self._company = self.waiting
            if items := self._pick(group, now):
                if len(self._groups) > 1 and group.key in self._groups:
                    self._groups.move_to_end(group.key)
                return self._start(items, now)
        self._linger_since = None
        return None

    def _start(self, items: list[Item], now: float, *, is_repeated: bool = False) -> Batch:
        self._calls += 1
        self.running = Batch(items, self._calls, now, is_repeated)
        return self.running

    def _oldest_group(self) -> Group:
        if len(self._filled) == 1:
            return next(iter(self._filled))
        return min(self._filled, key=lambda group: group.oldest)

    def _pick(self, group: Group, now: float) -> list[Item]:
        """Those who have waited longest, as many as fit into a batch that is ready for the first deadline."""
        items: list[Item] = []
        cost = group.cost
        alone_s = cost.seconds(1)
        ready_s = cost.per_call
        budget_s = FOREVER
        while group.items and len(items) < group.limit:
            item = next(iter(group.items))
            if not self._may_run(item, now):
                continue
            own_s = HASTE * (item.pending.deadline - now)
            if alone_s <= own_s < budget_s:  # who is late whatever we do rides along and hurries nobody
                budget_s = own_s
            ready_s += cost.per_input
            if ready_s > budget_s and items:
                break
            self._remove(item)
            items.append(item)
        if group.items or group.backlog_s:
            self._recount(group)
        return items

    def _may_run(self, item: Item, now: float) -> bool:
        if not item.is_wanted:
            return False
        if item.pending.deadline <= now:
            self._give_up(item.pending, DeadlineExceeded("the request waited too long for the model"), now)
            return False
        return True

    # Waiting for company

    def _linger_s(self, group: Group, now: float) -> float:
        """The seconds to wait for company: as long as the waiting of all costs less than the call that is saved.

        The rule is that of renting skis until they have cost what buying costs (Karlin et al., Competitive snoopy
        caching, 1988). A model that was free of late, or had one request at a time, is not waited for.
        """
        waiting = len(group.items)
        if self.is_closed or waiting >= group.limit:
            return 0.0
        patience_s = group.cost.per_call / self.waiting
        last_arrival = group.last_arrival or 0.0
        if self._linger_since is None:
            was_free = self._company < 2 or now - self._free_since > self._max_wait_s
            if was_free or not 0 < group.gap_s <= patience_s:
                return 0.0
            self._linger_since = now
        ready_s = group.cost.seconds(waiting + 1) / HASTE
        until = min(
            self._linger_since + self._max_wait_s,
            max(self._linger_since, last_arrival) + patience_s,
            min(item.pending.deadline for item in group.items) - ready_s,
        )
        return until - now

    def _is_worth_a_look(self, items: Sequence[Item], now: float) -> bool:
        """Whether someone who came while company is waited for changes how long."""
        group = self._oldest_group()
        other = any(item.group is not group for item in items)
        return other or now + self._linger_s(group, now) < self._linger_until

    # Taking the outcome

    def settle(self, batch: Batch, outcome: list[Any] | BaseException, now: float) -> None:
        """What a call brought: one result for each input, or what was raised."""
        seconds = now - batch.started
        self.running = None
        self._free_since = now
        for item in batch.items:
            pending = item.pending
            if pending.last_call != batch.number:
                pending.last_call = batch.number
                pending.predict_s += seconds
        ended: Ended = "ok"
        poisoned = 0
        if isinstance(outcome, BaseException):
            ended, poisoned = self._settle_failure(batch, outcome, now)
        else:
            self._failures = 0
            group = batch.group
            self.cost.learn(len(batch.items), seconds)
            group.learn(len(batch.items), seconds)
            if group.items:
                self._recount(group)
            for item, result in zip(batch.items, outcome, strict=True):
                self._answer(item, result, now)
        if self._is_observed:
            waited = (
                () if batch.is_repeated else tuple(batch.started - i.pending.submitted for i in batch.items)
            )
            self.events.append(Call(len(batch.items), seconds, waited, ended, poisoned))

    def _settle_failure(self, batch: Batch, error: BaseException, now: float) -> tuple[Ended, int]:
        items = batch.items
        if isinstance(error, WrongLength):
            for item in items:
                self._fail(item, error, now)
            return "bad_output", 0
        out_of_memory = is_out_of_memory(error)
        if len(items) == 1:
            if not isinstance(error, RequestError):  # who refuses an input is not broken
                self._failures += 1
            self._fail(items[0], error, now)
        elif out_of_memory:
            batch.group.shrink(len(items))
            self._recount(batch.group)
            self._try_again(items, batch.group.limit)
        elif self._is_broken and len(items) > 3:
            # Three of them speak for all, so that a broken model costs four calls and not two for each input.
            spokesmen = {0, len(items) // 2, len(items) - 1}
            self._trials.append(Trial([x for i, x in enumerate(items) if i not in spokesmen], error))
            self._try_again([items[i] for i in sorted(spokesmen)], 1)
        else:
            self._try_again(items, (len(items) + 1) // 2)
        ended: Ended = "out_of_memory" if out_of_memory else "failed"
        return ended, int(ended == "failed" and len(items) == 1 and batch.is_repeated)

    def _try_again(self, items: list[Item], size: int) -> None:
        """Repeat in parts of a size, the first part first."""
        parts = [items[start : start + size] for start in range(0, len(items), size)]
        self._trials.extend(Trial(part) for part in reversed(parts))

    @property
    def _is_broken(self) -> bool:
        return self._failures >= BROKEN_AFTER

    def _answer(self, item: Item, result: Any, now: float) -> None:
        pending = item.pending
        if not item.is_wanted:
            return
        pending.answers[item.index] = result
        pending.left -= 1
        if pending.left == 0 or (pending.error is not None and pending.answers_before(pending.failed_at)):
            pending.finish(now)

    def _fail(self, item: Item, error: BaseException, now: float) -> None:
        """A request fails with its first bad input; those behind it need not run."""
        pending = item.pending
        if not item.is_wanted:
            return
        pending.error = error
        pending.failed_at = item.index
        self._drop(item for item in pending.items if item.index > pending.failed_at)
        if pending.answers_before(pending.failed_at):
            pending.finish(now)

    # Forgetting

    def cancel(self, pending: Pending, error: MaxfwError | None, now: float) -> None:
        """Nobody waits for a request any more."""
        if not pending.is_done:
            self._give_up(pending, error or Abandoned("nobody waits for the answer any more"), now)

    def fail_all(self, error: BaseException, now: float) -> None:
        """Whoever is here gets an error, and nobody is left."""
        items = [item for group in self._filled for item in group.items]
        items += [item for trial in self._trials for item in trial.items]
        items += self.running.items if self.running is not None else []
        self._trials.clear()
        for item in items:
            if not item.pending.is_done:
                self._give_up(item.pending, error, now)

    def _give_up(self, pending: Pending, error: BaseException, now: float) -> None:
        why: Why = "expired" if isinstance(error, DeadlineExceeded) else "cancelled"
        self._tell_of_drop(why, pending.left)
        self._drop(pending.items)
        pending.error = error
        pending.finish(now)

    def _tell_of_drop(self, why: Why, inputs: int) -> None:
        if self._is_observed:
            self.events.append(Dropped(why, inputs))

    # Keeping count

    def _drop(self, items: Iterable[Item]) -> None:
        for item in items:
            if item.is_waiting:
                self._remove(item)
                self._recount(item.group)

    def _push(self, item: Item) -> None:
        if not item.group.items:
            self._filled[item.group] = None
        item.group.items[item] = None
        item.is_waiting = True
        self.waiting += 1
        self.waiting_bytes += item.bytes

    def _remove(self, item: Item) -> None:
        del item.group.items[item]
        item.is_waiting = False
        self.waiting -= 1
        self.waiting_bytes -= item.bytes
        if not item.group.items:
            del self._filled[item.group]
        if not self.waiting:
            self._backlog_s = 0.0  # sums of differences drift; now the sum is known

    def _recount(self, group: Group) -> None:
        drain_s = group.drain_s()
        if self.waiting:
            self._backlog_s += drain_s - group.backlog_s
        group.backlog_s = drain_s

    def _group(self, key: Hashable) -> Group:
        group = self._groups.get(key)
        if group is None:
            group = self._groups[key] = Group(key, self._max_batch_size, self.cost)
            if len(self._groups) > GROUPS:
                oldest = next((old for old in self._groups.values() if not old.items), group)
                del self._groups[oldest.key]
        return group
