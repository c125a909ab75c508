"""How long a call of the model takes, learnt from its calls."""

from __future__ import annotations

# An old call counts this much less with each new one.
FADING = 0.95
# A call this many times slower than expected is believed only when it is no exception.
SURPRISE = 2.0
EXCEPTIONS = 2
# Of calls this brief, after so many of them, only one in eight is learnt from: it must not cost more than they do.
BRIEF_S = 0.001
ENOUGH = 64
# Sizes must differ before they say what an input costs beside what a call costs (variance of the sizes).
SPREAD = 0.01


class Cost:
    """The line t(n) = `per_input`·n + `per_call`, in seconds, for a call with n inputs.

    It is fitted by least squares in which old calls fade: recursive least squares with a forgetting factor
    (L. Ljung, System Identification, chapter 11), written with weighted means and covariances, which stay bounded
    when all calls have one size. The first call is left out, since it pays for warming up, and a slow exception is
    cut to twice what was expected.
    """

    __slots__ = ("_calls", "_covariance", "_seconds", "_size", "_surprises", "_variance", "_weight",
                 "is_known", "per_call", "per_input")  # fmt: skip

    def __init__(self) -> None:
        self.per_input = 0.0
        self.per_call = 0.0
        self.is_known = False  # whether there were calls enough to say something
        self._calls = 0
        self._surprises = 0
        self._weight = self._size = self._seconds = self._variance = self._covariance = 0.0

    def seconds(self, inputs: int) -> float:
        """How long a call is expected to take; 0 as long as nothing is known."""
        return self.per_input * inputs + self.per_call if inputs else 0.0

    def learn(self, inputs: int, seconds: float) -> None:
        """A call with so many inputs took so long."""
        self._calls += 1
        if self._calls == 1 or (self._calls & 7 and self._calls > ENOUGH and self._seconds < BRIEF_S):
            return
        if self.is_known:
            seconds = self._believable(seconds, SURPRISE * self.seconds(inputs))
        self.is_known = True
        # West's update of a weighted mean, variance and covariance (Communications of the ACM, 1979).
        self._weight = FADING * self._weight + 1
        share = 1 / self._weight
        size_off, seconds_off = inputs - self._size, seconds - self._seconds
        self._size += share * size_off
        self._seconds += share * seconds_off
        self._variance = (1 - share) * (self._variance + share * size_off * size_off)
        self._covariance = (1 - share) * (self._covariance + share * size_off * seconds_off)
        self._fit()

    def doubt(self) -> None:
        """Trust the line a little less: an estimate that keeps requests away must not keep them away for ever."""
        for name in ("per_input", "per_call", "_seconds", "_covariance"):
            setattr(self, name, 0.98 * getattr(self, name))

    def _believable(self, seconds: float, most: float) -> float:
        if seconds <= most or self._surprises >= EXCEPTIONS:
            self._surprises = 0
            return seconds
        self._surprises += 1
        return most

    def _fit(self) -> None:
        most = self._seconds / self._size
        if self._variance > SPREAD or self.per_call:
            # When the sizes stop to differ, what was learnt of them stays.
            slope = (self._covariance + SPREAD * self.per_input) / (self._variance + SPREAD)
        else:
            slope = most
        self.per_input = min(max(slope, 0.0), most)
        self.per_call = self._seconds - self.per_input * self._size
