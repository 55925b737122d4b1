/* SPDX-License-Identifier: MIT */
/*
 * task_slot - what task.c and task_slot.c share: a task's way through the loop.   [worker]
 */
#ifndef WORKER_TASK_SLOT_H
#define WORKER_TASK_SLOT_H

struct task;

/** A claimed one, on the loop. It may have ended on return; the loop's hold stays. */
void task_start_coro(struct task *task);

/** Drops one hold; the last one frees it. Any thread. */
void task_let_go(struct task *task);

#endif
