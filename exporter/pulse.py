"""The pulse: how late our own loop runs, so that its lateness is not taken for a project's."""

from collections import deque

LATE = 1.0  # seconds behind time from which on a verdict says more of us than of the project
NOTED = 0.05  # seconds; smaller lags are forgotten at once


class Pulse:
    """The beats of the schedule. All instants are seconds of one monotonic clock."""

    def __init__(self, now: float) -> None:
        self.last = now  # when it last beat
        self.worst = 0.0  # the longest lag so far, in seconds
        self._next = now
        self._lags: deque[tuple[float, float]] = deque(maxlen=1000)

    def beat(self, now: float, *, due: float, following: float) -> float:
        """Note a beat that was due at *due*, before one at *following*; return its lag."""
        lag = max(0.0, now - due)
        self.last, self._next = now, following
        self.worst = max(self.worst, lag)
        if lag > NOTED:
            self._lags.append((now, lag))
        return lag

    def behind(self, *, since: float, now: float) -> float:
        """Return the worst lag from *since* until *now*, in seconds.

        A beat that is overdue counts already: after a stop of the whole process, answers may be
        looked at before the beat that would tell of it.
        """
        lags = [lag for at, lag in reversed(self._lags) if at >= since]
        return max(*lags, now - self._next, 0.0) if lags else max(now - self._next, 0.0)


def is_void(behind: float, *, within: float) -> bool:
    """Tell whether a verdict is worth nothing, made in *within* seconds at most.

    For a short timeout a smaller lag is too much, too.
    """
    return behind > min(LATE, within / 2)
