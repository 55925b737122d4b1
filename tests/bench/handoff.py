# SPDX-License-Identifier: MIT
"""handoff - what it costs that a request moves: instructions of both workers, by callgrind.

Two workers. Before each request of a keep-alive connection the worker that has it is given
another one that sleeps: with one slot each the request moves, with two it stays. The price is
the difference. A move must not be dearer than a client that connects anew: at most
instructions.close of bounds.ini.
"""

import re
import sys

import measure
import wire

MOVES = 40
ASLEEP_MS = 100
INI = measure.INI.replace("workers = 1", "workers = 2")


def owner(connection):
    return int(connection.get("/who").text)


def one_at_each(server):
    """Two connections, at different workers."""
    found = {}
    while len(found) < 2:
        connection = wire.Connection(server.address, 60)
        if found.setdefault(owner(connection), connection) is not connection:
            connection.close()
    return found


def play(server, moves):
    """`moves` requests, each while its worker's first slot is taken; how many moved."""
    sleeper, moved = one_at_each(server), 0
    traveller = wire.Connection(server.address, 60)
    for _ in range(moves):
        at = owner(traveller)
        sleeper[at].request("GET", f"/sync/sleep?ms={ASLEEP_MS}")
        for _ in range(2):  # its loop has turned: the slot is taken
            assert traveller.get("/nothing").status == 404
        assert traveller.get("/sync/hello").body == measure.HELLO
        moved += owner(traveller) != at
        assert sleeper[at].response().text == "slept"
    return moved


def instructions(threads, moves):
    tool = [*measure.tool_of_valgrind("callgrind"), "--callgrind-out-file=callgrind.%p"]
    server = measure.Remuda(tool, INI.replace("threads = 1", f"threads = {threads}"))
    try:
        server.wait_ready()
        moved = play(server, moves)
        server.stop()
        texts = [path.read_text() for path in server.directory.glob("callgrind.*")]
        found = [re.search(r"^(?:summary|totals): (\d+)", text, re.M) for text in texts]
        return sum(int(match[1]) for match in found if match), moved
    finally:
        server.clean_up()


def price():
    """(I of the moves - I without them) per move; start and stop cancel out."""
    with_moves, moved = instructions(1, MOVES)
    without, stayed = instructions(2, MOVES)
    assert stayed == 0, f"{stayed} of {MOVES} moved beside a free slot"
    assert moved > MOVES * 0.9, f"only {moved} of {MOVES} moved"
    return (with_moves - without) / moved


def main():
    measure.need("valgrind")
    ceiling = measure.bound_of("instructions.close") or 8000
    ours = measure.least("instructions.handoff", ceiling, price)
    print(f"a hand-off: {ours:.0f} instructions of both workers; a new connection {ceiling:.0f}")
    sys.exit(0 if ours <= ceiling else 1)


if __name__ == "__main__":
    main()
