/* SPDX-License-Identifier: MIT */
/*
 * erlang - waiting for one of c servers: arrivals at random, service times exponential.
 *
 * The M/M/c queue of the textbooks. "Offered load" is arrival rate x mean service time:
 * the servers that would be busy if nobody ever waited.
 *
 * Owns:    nothing. Pure.
 * Called:  by lab_queue.c.
 * Fails:   never; what an overloaded queue has none of is INFINITY.
 */
#ifndef CLI_ERLANG_H
#define CLI_ERLANG_H

/** Erlang B: the share of requests that c servers without a queue refuse. */
double erlang_b(unsigned servers, double offered);

/** Erlang C: the share of requests that must wait; 1 from offered = servers on. */
double erlang_c(unsigned servers, double offered);

/** Mean wait of all requests, those that do not wait included, in seconds. */
double erlang_wait(unsigned servers, double rate, double service_s);

/** The standard error of that mean when it is measured over so many seconds. Waits of
 * neighbours are nearly the same, so it is many times the one that independent values
 * would have; near the limit it is larger than most expect. */
double erlang_wait_error(unsigned servers, double rate, double service_s, double seconds);

#endif
