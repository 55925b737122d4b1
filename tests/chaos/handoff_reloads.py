#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""handoff_reloads - reloads, drains and stops of workers while connections move: nothing is lost.

    handoff_reloads.py [--full] [--shape CLASS.WxT] [--seed N]

The clients and the verdict of handoff_kills, but nobody is killed, so no connection may fail
at all: the master reloads (HUP), one worker drains (TERM), or one stands still for a while
(STOP) with what its siblings have sent it. A worker that drains may say `Connection: close`
with the answer to a request that it was running; idle connections go to its siblings.
"""

import os
import signal
import time

import handoff_kills


class Run(handoff_kills.Run):
    def __init__(self, options, shape):
        super().__init__(options, shape)
        self.counts = dict.fromkeys(("HUP", "TERM", "STOP"), 0)

    def missing(self):
        return [what for what, count in self.counts.items() if count == 0]

    def disturb(self, alive):
        pid = self.rng.choice(alive)["pid"]
        what = self.draw(self.counts)
        self.counts[what] += 1
        if what == "HUP":
            self.born += self.workers
            os.kill(self.server.pid, signal.SIGHUP)
        elif what == "TERM":
            self.killed.add(pid)  # it serves on for a moment
            self.born += 1
            self.unneeded += 1
            os.kill(pid, signal.SIGTERM)
        else:
            self.stand_still(pid, self.rng.choice((0.1, 0.1, 2.5)))

    def stand_still(self, pid, seconds):
        """After 1.5 s its siblings take what they have sent it."""
        os.kill(pid, signal.SIGSTOP)
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            self.crew.turn(0.01)
        os.kill(pid, signal.SIGCONT)

    def run(self, moves, gap):
        super().run(moves, gap)
        print(f"  {self.counts}, {self.crew.closed} closed by the server's word", flush=True)


if __name__ == "__main__":
    handoff_kills.main(Run, __doc__.splitlines()[0], (10000, 300), (2000, 150))
