/* SPDX-License-Identifier: MIT */
/*
 * erlang - the formulas of A. K. Erlang (1917), and how well a mean wait can be measured.
 *
 * The error: the number waiting, N(t) - c, is a function of a birth-death process. Over a
 * long time T its average has the variance v / T with
 *
 *     v = 2 sum over j of (sum over i <= j of (f_i - f) p_i)^2 / (rate p_j)
 *
 * where p are the probabilities of the states, f_i the number waiting in state i and f its
 * mean (W. Whitt, Asymptotic formulas for Markov processes, Operations Research 40, 1992).
 * The mean wait is that number divided by the rate (Little).
 *
 * Called:  by lab_queue.c.
 * Fails:   never.
 */
#include "cli/erlang.h"

#include <math.h>

double erlang_b(unsigned servers, double offered)
{
    double b = 1;

    for (unsigned k = 1; k <= servers; k++)
        b = offered * b / (k + offered * b);
    return b;
}

double erlang_c(unsigned servers, double offered)
{
    const double b = erlang_b(servers, offered);

    if (offered >= servers)
        return 1;
    return b / (1 - offered / servers * (1 - b));
}

double erlang_wait(unsigned servers, double rate, double service_s)
{
    const double offered = rate * service_s;

    if (offered >= servers)
        return INFINITY;
    return erlang_c(servers, offered) * service_s / (servers - offered);
}

/* The states below c, relative to p_c: the terms of v, and the sum of the probabilities.
 * Everything is kept relative to the state it has come to, upwards from state 0: a
 * difference of sums would be lost in rounding where p_0 is tiny. */
static double below(unsigned servers, double offered, double waiting, double *sum_out)
{
    double sum = 1, terms = 1; /* of p_0 to p_j, over p_j; here j = 0 */

    for (unsigned j = 1; j < servers; j++) {
        sum = 1 + sum * j / offered;
        terms = sum * sum + terms * j / offered;
    }
    *sum_out = sum * servers / offered;
    return waiting * waiting * terms * servers / offered;
}

/* The states from c on: geometric, so the sums above j have a closed form. */
static double above(double load, double waiting)
{
    double p = 1, terms = 0, term = INFINITY;

    for (unsigned m = 0; m < 64 || term > terms * 1e-12; m++) {
        const double rest =
            load * ((m + 1 - waiting) / (1 - load) + load / ((1 - load) * (1 - load)));

        term = p * rest * rest;
        terms += term;
        p *= load;
    }
    return terms;
}

double erlang_wait_error(unsigned servers, double rate, double service_s, double seconds)
{
    const double offered = rate * service_s, load = offered / servers;
    const double waiting = rate * erlang_wait(servers, rate, service_s);
    double all, variance;

    if (offered >= servers)
        return INFINITY;
    variance = below(servers, offered, waiting, &all) + above(load, waiting);
    all += 1 / (1 - load);
    return sqrt(2 * variance / (rate * all) / seconds) / rate;
}
