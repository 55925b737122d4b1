/* SPDX-License-Identifier: MIT */
/*
 * fault - why something could not be done: one sentence for the operator and the exit
 * status it would have at start. The same fault that ends a start refuses a reload.
 */
#ifndef MASTER_FAULT_H
#define MASTER_FAULT_H

/* sysexits.h by the names the documentation uses */
enum exit_status {
    EXIT_OK = 0,
    EXIT_USAGE = 64,
    EXIT_NO_FILE = 66,
    EXIT_UNAVAILABLE = 69, /* address in use */
    EXIT_INTERNAL = 70,    /* the first generation never became ready */
    EXIT_OS = 71,
    EXIT_CREATE = 73, /* a socket or the pid file */
    EXIT_TEMPORARY = 75,
    EXIT_PERMISSION = 77,
    EXIT_CONFIG = 78
};

struct fault {
    int status;
    char text[512];
};

/** Fills it (text is cut) and returns the status. */
int fault_set(struct fault *fault, int status, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/** EXIT_PERMISSION for EACCES and EPERM, else `other`. */
int fault_status_of(int error, int other);

#endif
