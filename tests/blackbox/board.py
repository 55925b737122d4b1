# SPDX-License-Identifier: MIT
"""board - the scoreboard of a running server, read through the master's descriptor.

The offsets are those of BOARD_VERSION 2, which common/scoreboard.c asserts.
"""

import mmap
import struct

from daemon import links

WORKER, WORKER_STRIDE, RECORD_STRIDE = 4864, 336704, 256
COUNTERS, QUEUE, SERVICE = 4352, 4896, 6960
SLOTS, FLIGHTS = 9024, 271168

WORKER_WORDS = {
    "state": (0, "I"), "generation": (4, "I"), "pid": (8, "i"), "threads": (12, "I"),
    "started_ms": (16, "Q"), "tick_ms": (128, "Q"), "loop_lag_us": (136, "Q"),
    "connections": (144, "I"), "load": (148, "I"), "waiting": (152, "I"),
    "inflight": (156, "I"), "fd_room": (160, "I"), "inflight_unrecorded": (164, "I"),
    "rss_bytes": (168, "Q"), "awake_since_ms": (200, "Q"), "running": (208, "Q"),
}
COUNTER_WORDS = ["requests", "no_response", "r1xx", "r2xx", "r3xx", "r4xx", "r5xx",
                 "connections", "bytes_in", "bytes_out", "shed", "departed", "timeouts",
                 "refused", "log_dropped", "handoffs_out", "handoffs_in", "loop_blocks", "late"]
FREE, BUSY, LATE = range(3)
SERVING, RETIRING, DRAINING = 3, 4, 5


class Board:
    def __init__(self, pid):
        fd = next(fd for fd, link in links(pid) if "remuda-scoreboard" in link)
        with open(f"/proc/{pid}/fd/{fd}", "rb") as file:
            self.map = mmap.mmap(file.fileno(), 0, prot=mmap.PROT_READ)
        strides = struct.unpack_from("<III", self.map, 8)
        assert strides == (2, WORKER_STRIDE, RECORD_STRIDE), "another BOARD_VERSION"

    def close(self):
        self.map.close()

    def read(self, kind, at):
        return struct.unpack_from("<" + kind, self.map, at)[0]

    def text(self, at, size):
        return self.map[at:at + size].split(b"\0")[0].decode()

    @property
    def header(self):
        names = ("worker_slots", "generation", "started_ms", "traces", "epoch", "listeners",
                 "closing")
        words = dict(zip(names, struct.unpack_from("<IIQIIII", self.map, 24)))
        readiness = self.read("I", 188)
        return {**words, "degraded": self.read("I", 184), "readiness": readiness,
                "ready": readiness == 1}

    def backlog(self, index):
        """(length, limit) of a listener's accept queue."""
        return struct.unpack_from("<II", self.map, 56 + 8 * index)

    def word(self, index, name):
        offset, kind = WORKER_WORDS[name]
        return self.read(kind, WORKER + index * WORKER_STRIDE + offset)

    def counters(self, index):
        at = WORKER + index * WORKER_STRIDE + COUNTERS
        values = struct.unpack_from(f"<{len(COUNTER_WORDS)}Q", self.map, at)
        return dict(zip(COUNTER_WORDS, values))

    def histogram(self, index, which):
        """(count, sum_us) of QUEUE or SERVICE."""
        return struct.unpack_from("<QQ", self.map, WORKER + index * WORKER_STRIDE + which)

    def records(self, index, which, count):
        """Those of SLOTS or FLIGHTS that are busy, by their number."""
        found = {}
        for i in range(count):
            at = WORKER + index * WORKER_STRIDE + which + i * RECORD_STRIDE
            if self.read("I", at + 4) != FREE:
                found[i] = {"state": self.read("I", at + 4),
                            "since_ms": self.read("Q", at + 8), "route": self.read("I", at + 16),
                            "method": self.text(at + 24, 16), "path": self.text(at + 40, 88),
                            "peer": self.text(at + 128, 48)}
        return found
