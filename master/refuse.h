/* SPDX-License-Identifier: MIT */
/*
 * refuse - a listening socket takes nobody new, and loses nobody that it has.
 */
#ifndef MASTER_REFUSE_H
#define MASTER_REFUSE_H

/** TCP: from now on a SYN is dropped, so the client tries again after a second and is refused
 *  or served by a successor. What is in the queue stays there, and a handshake that has begun
 *  goes on: what comes of it may have to be set right by who accepts it (accept.c). For
 *  whoever shares the socket, for good. -1 with errno. */
int refuse_syn(int fd);

/** A unix socket: connect is refused from now on; what is in the queue can be accepted. */
void refuse_connect(int fd);

#endif
