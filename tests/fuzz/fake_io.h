/* SPDX-License-Identifier: MIT */
/*
 * fake_io - sockets without a kernel behind them.                 [tests]
 *
 * The calls of the worker end here by the linker's --wrap; other descriptors go on to the
 * kernel. What a client sends, how much its machine takes, what fails and when: all of it is
 * said by the test, so a run is the same each time.
 */
#ifndef FAKE_IO_H
#define FAKE_IO_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { FAKE_MOST = 1 << 20 }; /* bytes of one connection that are kept, each way */

struct fake {
    int fd; /* as the worker sees it; -1 once it has closed it */
    const uint8_t *in;
    size_t in_bytes, in_taken; /* arrived; read by the worker */
    bool has_ended, is_reset;  /* the client: no more will come; RST */
    int next_recv_errno, next_send_errno;
    size_t room;   /* of the client's machine */
    size_t unread; /* of what it has */
    bool is_eager; /* its client reads everything at once */
    uint8_t *out;
    size_t out_bytes;
    bool is_shut; /* by the worker, for writing */
};

/** A connection; its fd is the worker's from now on. */
void fake_open(struct fake *fake);

/** Frees what is kept; its fd must be closed. */
void fake_fini(struct fake *fake);

/** The client takes up to n bytes off its machine. */
void fake_read(struct fake *fake, size_t n);

/** All of it, and all that is still to come. */
void fake_read_all(struct fake *fake);

bool fake_is_readable(const struct fake *fake);
bool fake_is_writable(const struct fake *fake);

/** What clock_mono_ns() says. */
extern uint64_t fake_now_ns;

#endif
