/* SPDX-License-Identifier: MIT */
/*
 * coro_switch - from one stack to another.                [worker, loop thread]
 *
 * Owns:    the only assembly of remuda: about 20 lines each for x86-64 and aarch64, as
 *          top-level asm so that the build needs no assembler language. Elsewhere, and
 *          with -DREMUDA_CORO_UCONTEXT=1 (the cross-check of the tests), ucontext, which
 *          is ten times slower because it saves the signal mask with a system call.
 * Saved:   what the ABIs call callee-saved, and the floating-point control words. Not
 *          errno and not the signal mask: they belong to the thread.
 * CET:     indirect-branch tracking is met (endbr64). The shadow stack is not switched:
 *          a `ret` to another stack would fault, so coro_context_allow turns it off.
 */
#include "worker/coro_switch.h"

#include <errno.h>
#include <stdint.h>
#include <sys/syscall.h>
#include <unistd.h>

#if defined(__has_include)
#if __has_include(<valgrind/valgrind.h>)
#include <valgrind/valgrind.h>
#endif
#endif

#if defined(__SANITIZE_ADDRESS__)
#define CORO_ASAN 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define CORO_ASAN 1
#endif
#endif

#if defined(__SANITIZE_THREAD__)
#define CORO_TSAN 1
#elif defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define CORO_TSAN 1
#endif
#endif

#ifdef CORO_ASAN
#include <sanitizer/common_interface_defs.h>
#endif

#ifdef CORO_TSAN
/* declared here: gcc 12 installs the header without these */
void *__tsan_get_current_fiber(void);
void *__tsan_create_fiber(unsigned flags);
void __tsan_destroy_fiber(void *fiber);
void __tsan_switch_to_fiber(void *fiber, unsigned flags);
#endif

/* ---- the machine's part ---- */

#if REMUDA_CORO_UCONTEXT

/* makecontext passes ints, so a pointer travels in two halves */
static void ucontext_entry(unsigned fn_high, unsigned fn_low, unsigned arg_high,
                           unsigned arg_low)
{
    uintptr_t fn = (uintptr_t)((uint64_t)fn_high << 32 | fn_low);
    uintptr_t arg = (uintptr_t)((uint64_t)arg_high << 32 | arg_low);

    ((void (*)(void *))fn)((void *)arg);
}

static void machine_make(struct coro_context *self, char *bottom, size_t size,
                         void (*fn)(void *), void *arg)
{
    uint64_t f = (uintptr_t)fn, a = (uintptr_t)arg;

    getcontext(&self->machine);
    self->machine.uc_stack.ss_sp = bottom;
    self->machine.uc_stack.ss_size = size;
    self->machine.uc_link = NULL;
    makecontext(&self->machine, (void (*)(void))ucontext_entry, 4, (unsigned)(f >> 32),
                (unsigned)f, (unsigned)(a >> 32), (unsigned)a);
}

static inline void machine_switch(struct coro_context *from, struct coro_context *to)
{
    swapcontext(&from->machine, &to->machine);
}

#else

/* Pushes what must survive, stores the stack pointer in *save, takes `load` for it and
 * pops the same from there. coro_stack_entry is where a new stack begins: no return
 * address. */
void coro_stack_switch(void **save, void *load);
void coro_stack_entry(void);

#if defined(__x86_64__)

#define PUSH(reg)                                                                        \
    "    pushq %" reg "\n"                                                               \
    ".cfi_adjust_cfa_offset 8\n"                                                         \
    ".cfi_rel_offset %" reg ", 0\n"
#define POP(reg)                                                                         \
    "    popq %" reg "\n"                                                                \
    ".cfi_adjust_cfa_offset -8\n"                                                        \
    ".cfi_restore %" reg "\n"

/* clang-format off */
__asm__(".pushsection .text\n"
        ".globl coro_stack_switch\n"
        ".hidden coro_stack_switch\n"
        ".type coro_stack_switch, @function\n"
        ".p2align 4\n"
        "coro_stack_switch:\n"
        ".cfi_startproc\n"
        "    endbr64\n"
        PUSH("rbp") PUSH("rbx") PUSH("r12") PUSH("r13") PUSH("r14") PUSH("r15")
        "    subq $8, %rsp\n"
        ".cfi_adjust_cfa_offset 8\n"
        "    stmxcsr (%rsp)\n"
        "    fnstcw 4(%rsp)\n"
        "    movq %rsp, (%rdi)\n"
        "    movq %rsi, %rsp\n"
        "    ldmxcsr (%rsp)\n"
        "    fldcw 4(%rsp)\n"
        "    addq $8, %rsp\n"
        ".cfi_adjust_cfa_offset -8\n"
        POP("r15") POP("r14") POP("r13") POP("r12") POP("rbx") POP("rbp")
        "    ret\n"
        ".cfi_endproc\n"
        ".size coro_stack_switch, .-coro_stack_switch\n"

        ".globl coro_stack_entry\n"
        ".hidden coro_stack_entry\n"
        ".type coro_stack_entry, @function\n"
        ".p2align 4\n"
        "coro_stack_entry:\n"
        ".cfi_startproc\n"
        ".cfi_undefined %rip\n"
        "    endbr64\n"
        "    movq %r12, %rdi\n"
        "    callq *%r13\n"
        "    ud2\n"
        ".cfi_endproc\n"
        ".size coro_stack_entry, .-coro_stack_entry\n"
        ".popsection\n");
/* clang-format on */

/* low to high: mxcsr and x87 control word, r15 r14 r13 r12 rbx rbp, return address */
enum { FRAME_WORDS = 8, FRAME_FP = 0, FRAME_FN = 3, FRAME_ARG = 4, FRAME_RETURN = 7 };

/* as the psABI wants them at process entry: all exceptions masked, round to nearest */
#define FRAME_FP_DEFAULT ((uintptr_t)0x037f << 32 | 0x1f80)

#elif defined(__aarch64__)

__asm__(".pushsection .text\n"
        ".globl coro_stack_switch\n"
        ".hidden coro_stack_switch\n"
        ".type coro_stack_switch, %function\n"
        ".p2align 4\n"
        "coro_stack_switch:\n"
        ".cfi_startproc\n"
        "    hint #34\n" /* bti c */
        "    sub sp, sp, #176\n"
        ".cfi_adjust_cfa_offset 176\n"
        "    stp x19, x20, [sp]\n"
        "    stp x21, x22, [sp, #16]\n"
        "    stp x23, x24, [sp, #32]\n"
        "    stp x25, x26, [sp, #48]\n"
        "    stp x27, x28, [sp, #64]\n"
        "    stp x29, x30, [sp, #80]\n"
        ".cfi_rel_offset x29, 80\n"
        ".cfi_rel_offset x30, 88\n"
        "    stp d8, d9, [sp, #96]\n"
        "    stp d10, d11, [sp, #112]\n"
        "    stp d12, d13, [sp, #128]\n"
        "    stp d14, d15, [sp, #144]\n"
        "    mrs x9, fpcr\n"
        "    str x9, [sp, #160]\n"
        "    mov x9, sp\n"
        "    str x9, [x0]\n"
        "    mov sp, x1\n"
        "    ldr x9, [sp, #160]\n"
        "    msr fpcr, x9\n"
        "    ldp x19, x20, [sp]\n"
        "    ldp x21, x22, [sp, #16]\n"
        "    ldp x23, x24, [sp, #32]\n"
        "    ldp x25, x26, [sp, #48]\n"
        "    ldp x27, x28, [sp, #64]\n"
        "    ldp x29, x30, [sp, #80]\n"
        ".cfi_restore x29\n"
        ".cfi_restore x30\n"
        "    ldp d8, d9, [sp, #96]\n"
        "    ldp d10, d11, [sp, #112]\n"
        "    ldp d12, d13, [sp, #128]\n"
        "    ldp d14, d15, [sp, #144]\n"
        "    add sp, sp, #176\n"
        ".cfi_adjust_cfa_offset -176\n"
        "    ret\n"
        ".cfi_endproc\n"
        ".size coro_stack_switch, .-coro_stack_switch\n"

        ".globl coro_stack_entry\n"
        ".hidden coro_stack_entry\n"
        ".type coro_stack_entry, %function\n"
        ".p2align 4\n"
        "coro_stack_entry:\n"
        ".cfi_startproc\n"
        ".cfi_undefined x30\n"
        "    mov x0, x19\n"
        "    blr x20\n"
        "    brk #1\n"
        ".cfi_endproc\n"
        ".size coro_stack_entry, .-coro_stack_entry\n"
        ".popsection\n");

/* low to high: x19 to x30, d8 to d15, fpcr, padding */
enum { FRAME_WORDS = 22, FRAME_FP = 20, FRAME_FN = 1, FRAME_ARG = 0, FRAME_RETURN = 11 };

#define FRAME_FP_DEFAULT ((uintptr_t)0)

#endif

static void machine_make(struct coro_context *self, char *bottom, size_t size,
                         void (*fn)(void *), void *arg)
{
    uintptr_t *frame = (uintptr_t *)(void *)(bottom + size) - FRAME_WORDS;

    for (size_t i = 0; i < FRAME_WORDS; i++)
        frame[i] = 0; /* a frame pointer of 0 ends a backtrace */
    frame[FRAME_FP] = FRAME_FP_DEFAULT;
    frame[FRAME_FN] = (uintptr_t)fn;
    frame[FRAME_ARG] = (uintptr_t)arg;
    frame[FRAME_RETURN] = (uintptr_t)coro_stack_entry;
    self->sp = frame;
}

static inline void machine_switch(struct coro_context *from, struct coro_context *to)
{
    coro_stack_switch(&from->sp, to->sp);
}

#endif

/* ---- the hardware shadow stack ---- */

#if defined(__x86_64__) && !REMUDA_CORO_UCONTEXT

enum { SHSTK_DISABLE = 0x5002, SHSTK_SHSTK = 1 }; /* asm/prctl.h of Linux 6.6 */

int coro_context_allow(void)
{
    uintptr_t pointer = 0;

    /* rdsspq %rax: a no-op where there is no shadow stack */
    __asm__ volatile(".byte 0xf3, 0x48, 0x0f, 0x1e, 0xc8" : "+a"(pointer));
    if (pointer == 0)
        return 0;
    if (syscall(SYS_arch_prctl, SHSTK_DISABLE, SHSTK_SHSTK) == 0)
        return 0;
    errno = ENOTSUP;
    return -1;
}

#else

int coro_context_allow(void)
{
    return 0; /* glibc's swapcontext switches the shadow stack itself */
}

#endif

/* ---- the tools' part ---- */

void coro_context_init(struct coro_context *self)
{
    *self = (struct coro_context){.size = 0};
#ifdef CORO_TSAN
    self->fiber = __tsan_get_current_fiber();
#endif
}

void coro_context_make(struct coro_context *self, void *bottom, size_t size,
                       void (*fn)(void *), void *arg)
{
    *self = (struct coro_context){.bottom = bottom, .size = size};
    machine_make(self, bottom, size, fn, arg);
#ifdef CORO_TSAN
    self->fiber = __tsan_create_fiber(0);
#endif
#ifdef VALGRIND_STACK_REGISTER
    self->valgrind_id = VALGRIND_STACK_REGISTER(bottom, (char *)bottom + size);
#endif
}

void coro_context_fini(struct coro_context *self)
{
#ifdef CORO_TSAN
    __tsan_destroy_fiber(self->fiber);
    self->fiber = NULL;
#endif
#ifdef VALGRIND_STACK_DEREGISTER
    VALGRIND_STACK_DEREGISTER(self->valgrind_id);
#endif
    self->bottom = NULL;
}

void coro_context_arrived(struct coro_context *self, struct coro_context *from)
{
#ifdef CORO_ASAN
    __sanitizer_finish_switch_fiber(self->fake_stack, &from->bottom, &from->size);
#else
    (void)self;
    (void)from;
#endif
}

void coro_context_switch(struct coro_context *from, struct coro_context *to, bool empty)
{
#ifdef CORO_ASAN
    /* an empty stack gives its fake stack back: it may be unmapped next */
    from->fake_stack = NULL;
    __sanitizer_start_switch_fiber(empty ? NULL : &from->fake_stack, to->bottom,
                                   to->size);
#else
    (void)empty;
#endif
#ifdef CORO_TSAN
    __tsan_switch_to_fiber(to->fiber, 0);
#endif
    machine_switch(from, to);
#ifdef CORO_ASAN
    __sanitizer_finish_switch_fiber(from->fake_stack, NULL, NULL);
#endif
}
