/* SPDX-License-Identifier: MIT */
/*
 * test_coro_ucontext - the tests of coro again, with glibc's ucontext in place of our own
 * assembly (built with REMUDA_CORO_UCONTEXT=1): what passes here and fails there is a bug
 * of the assembly.
 */
#include "tests/unit/test_coro.c"
