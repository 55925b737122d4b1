# SPDX-License-Identifier: MIT
"""load - the witness as seen from Python: start it, ask how far it is, read what it saw.

The clock of all times is CLOCK_MONOTONIC in nanoseconds (`now_ns`), the same in the witness,
here and in the server.
"""

import json
import subprocess
import threading
import time

import daemon

WITNESS = daemon.BUILD / "tests" / "chaos" / "witness"
MILLION = 1_000_000


def now_ns():
    return time.monotonic_ns()


def mix_of(rate, slots, more=None):
    """The usual one: what takes long is bounded by the slots there are, not by the rate."""
    shares = {
        "wait5": 0.2,
        "wait100": min(0.05, slots * 0.15 / 0.1 / rate),   # 15 % of the slots
        "stream": min(0.01, slots * 0.1 / 2.0 / rate),     # 10 %, two seconds each
        "echo": 0.15, "idle": 0.02, "close": 0.3, "split": 0.05, "pair": 0.03,
    }
    shares.update(more or {})
    return shares


class Result:
    """What the witness wrote at its end."""

    def __init__(self, text, opened, table):
        self.said = json.loads(text)
        self.opened = opened
        self._table = table

    def __getitem__(self, name):
        return self.said[name]

    @property
    def failures(self):
        return self.said["failures"]

    @property
    def drops(self):
        return self.said["drops"]

    def same_connections(self):
        """Of the kept ones: those that are what they were before the first request."""
        return {group: [was == is_now for was, is_now in
                        zip(self.opened[f"{group}_ports"], self.said[f"{group}_ports"])]
                for group in ("keep", "idle")}

    def rows(self):
        """Of each request a dict of strings."""
        with open(self._table) as file:
            names = file.readline().rstrip("\n").split("\t")
            for line in file:
                yield dict(zip(names, line.rstrip("\n").split("\t")))


class Witness:
    """The C program under a load's parameters; `shares` are parts of one."""

    def __init__(self, address, rate, count, seed, shares, table, keep=50, idle=50,
                 timeout_s=30, flags=()):
        self.rate, self.count, self.table = rate, count, table
        self.timeout_s = timeout_s
        command = [str(WITNESS), "-a", address, "-n", str(count), "-r", str(rate),
                   "-s", str(seed), "-k", str(keep), "-i", str(idle), "-o", str(table),
                   "-t", str(int(timeout_s * 1000)), *flags]
        for name, share in shares.items():
            value = share if name.startswith("stream_") else int(share * MILLION)
            command += ["-m", f"{name}={value}"]
        self.process = subprocess.Popen(command, text=True, stdin=subprocess.PIPE,
                                        stdout=subprocess.PIPE)
        self.opened = None

    def wait_open(self):
        self.opened = json.loads(self._hear(daemon.patience(30)))
        return self

    def _say(self, word):
        self.process.stdin.write(word + "\n")
        self.process.stdin.flush()

    def _hear(self, timeout_s):
        """A line; one that does not come ends the witness, and with it the test."""
        too_late = threading.Timer(timeout_s, self.process.kill)
        too_late.start()
        try:
            line = self.process.stdout.readline()
        finally:
            too_late.cancel()
        assert line, "the witness died, or was too late"
        return line

    def progress(self):
        """(sent, failed) so far."""
        self._say("sent")
        said = json.loads(self._hear(daemon.patience(30)))
        return said["sent"], said["failed"]

    def wait_sent(self, count):
        """Until so many were sent; true: none has failed by then."""
        while True:
            sent, failed = self.progress()
            if sent >= count:
                return failed == 0
            time.sleep(min(0.05, max(0.002, (count - sent) / self.rate)))

    def end(self):
        """No more than what was planned; the result when all are answered or have failed."""
        self._say("end")
        text = self._hear(3 * self.timeout_s + 60)
        result = Result(text, self.opened, self.table)
        self.process.stdin.close()
        status = self.process.wait(daemon.patience(60))
        assert status in (0, 1), f"the witness ended with {status}"
        return result

    def clean_up(self):
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        for pipe in (self.process.stdin, self.process.stdout):
            try:
                pipe.close()
            except BrokenPipeError:
                pass
