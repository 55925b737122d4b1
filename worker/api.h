/* SPDX-License-Identifier: MIT */
/*
 * api - the host's side of the plugin ABI: one const table, filled from api_*.c.  [worker]
 * What each function does stands in include/remuda.h.
 */
#ifndef WORKER_API_H
#define WORKER_API_H

#include "include/remuda.h"

extern const remuda_api api_table;

/* api_request.c */
const char *api_get(remuda_ctx *c, int what);
const char *api_header(remuda_ctx *c, const char *name);
int api_header_at(remuda_ctx *c, size_t i, const char **name, const char **value);
const char *api_query(remuda_ctx *c, const char *name);
const char *api_param(remuda_ctx *c, const char *name);
int api_body(remuda_ctx *c, remuda_bytes *out);
int64_t api_read(remuda_ctx *c, void *buf, size_t n);

/* api_response.c */
int api_set(remuda_ctx *c, const char *name, const char *value);
int api_add(remuda_ctx *c, const char *name, const char *value);
int api_send(remuda_ctx *c, int status, const char *type, const void *p, size_t n,
             remuda_free_fn own);
int api_file(remuda_ctx *c, int status, const char *type, int fd, uint64_t off,
             uint64_t n);
int api_begin(remuda_ctx *c, int status, const char *type);
int api_write(remuda_ctx *c, const void *p, size_t n);
int api_event(remuda_ctx *c, const char *name, const char *data, size_t n);

/* api_wait.c */
int api_sleep(remuda_ctx *c, uint32_t ms);
int api_ready(remuda_ctx *c, int fd, int events, uint32_t ms);
int api_cancelled(remuda_ctx *c);
int api_draining(remuda_ctx *c);
void api_finish(remuda_ctx *c, int rc);

/* api_task.c */
remuda_task *api_spawn(remuda_ctx *c, int where, remuda_fn fn, void *arg);
int api_wait(remuda_ctx *c, remuda_task *const *t, size_t n, int how, uint32_t ms);
int api_result(remuda_task *t);
int api_deadline(remuda_ctx *c, uint32_t ms);
remuda_sem *api_semaphore(remuda_ctx *c, const char *name, uint32_t permits);
int api_acquire(remuda_ctx *c, remuda_sem *s, uint32_t ms);
void api_release(remuda_ctx *c, remuda_sem *s);

/* api_memory.c */
void *api_alloc(remuda_ctx *c, size_t n);
size_t api_mark(remuda_ctx *c);
void api_rewind(remuda_ctx *c, size_t mark);
void api_cleanup(remuda_ctx *c, remuda_free_fn fn, void *p);
const char *api_conf(remuda_ctx *c, const char *name);
int64_t api_conf_num(remuda_ctx *c, const char *name);
void *api_state(remuda_ctx *c);
void *api_arg(remuda_ctx *c);
void api_log(remuda_ctx *c, int level, const char *msg);
void *api_loop(remuda_ctx *c);

#endif
