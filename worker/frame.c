/* SPDX-License-Identifier: MIT */
/*
 * frame - walks a stack and names what it finds.             [worker, any thread]
 *
 * Owns:    nothing.
 * Called:  by stack.c (a blocked loop) and fault.c (a crash), in signal handlers.
 * Rule:    only async-signal-safe calls. A symbol table is read as it stands in memory: it
 *          may be damaged by what has crashed us, and then we crash once more; fault.c is
 *          prepared.
 * Fails:   silently; what cannot be named is a bare address.
 */
#include "worker/frame.h"

#include "common/check.h"
#include "common/heritage.h"

#include <dlfcn.h>
#include <elf.h>
#include <execinfo.h>
#include <link.h>
#include <stdint.h>
#include <string.h>
#include <sys/uio.h>
#include <ucontext.h>
#include <unistd.h>

static const struct heritage *heritage;

/* ---- numbers ---- */

static const char *put_number(unsigned long n, unsigned base,
                              char out[static FRAME_NUMBER])
{
    char *at = out + FRAME_NUMBER - 1;

    *at = '\0';
    do {
        *--at = "0123456789abcdef"[n % base];
        n /= base;
    } while (n != 0);
    return at;
}

const char *frame_decimal(unsigned long n, char out[static FRAME_NUMBER])
{
    return put_number(n, 10, out);
}

const char *frame_hex(unsigned long n, char out[static FRAME_NUMBER])
{
    const char *digits = put_number(n, 16, out);
    char *at = out + (digits - out) - 2;

    memcpy(at, "0x", 2);
    return at;
}

/* ---- the machine ---- */

static uintptr_t program_counter(const void *machine)
{
    const ucontext_t *at = machine;
#if defined(__x86_64__)
    return (uintptr_t)at->uc_mcontext.gregs[REG_RIP];
#elif defined(__aarch64__)
    return (uintptr_t)at->uc_mcontext.pc;
#else
    (void)at;
    return 0;
#endif
}

const char *frame_stack_pointer(const void *machine)
{
    const ucontext_t *at = machine;
#if defined(__x86_64__)
    uintptr_t address = (uintptr_t)at->uc_mcontext.gregs[REG_RSP];
#elif defined(__aarch64__)
    uintptr_t address = (uintptr_t)at->uc_mcontext.sp;
#else
    uintptr_t address = 0;
    (void)at;
#endif
    return (const char *)address;
}

/* ---- modules ---- */

static const char *file_of(const struct link_map *module)
{
    static const char own[] = "/proc/self/fd/";
    const char *at = module->l_name;
    int fd = 0;

    if (at == NULL || at[0] == '\0')
        return "remuda";
    if (strncmp(at, own, sizeof own - 1) != 0)
        return at;
    for (at += sizeof own - 1; *at >= '0' && *at <= '9'; at++)
        fd = fd * 10 + (*at - '0');
    for (size_t i = 0; heritage != NULL && i < heritage->image_count; i++)
        if (heritage->image[i].fd == fd)
            return heritage->image[i].path;
    return module->l_name;
}

/* What a module's dynamic section says of its symbols. */
struct symbols {
    const ElfW(Sym) * table;
    const char *names;
    const uint32_t *hash; /* DT_GNU_HASH */
};

/* Loaders write addresses into it, or leave them relative to the module. */
static uintptr_t pointer_of(const struct link_map *module, const ElfW(Dyn) * d)
{
    return d->d_un.d_ptr < module->l_addr ? d->d_un.d_ptr + module->l_addr
                                          : d->d_un.d_ptr;
}

static struct symbols symbols_of(const struct link_map *module)
{
    struct symbols s = {.table = NULL};

    for (const ElfW(Dyn) *d = module->l_ld; d != NULL && d->d_tag != DT_NULL; d++) {
        uintptr_t at = pointer_of(module, d);

        if (d->d_tag == DT_SYMTAB)
            s.table = (const ElfW(Sym) *)at;
        else if (d->d_tag == DT_STRTAB)
            s.names = (const char *)at;
        else if (d->d_tag == DT_GNU_HASH)
            s.hash = (const uint32_t *)at;
    }
    return s;
}

/* One more than the last symbol that is exported: the hash table is the only one to know. Its
 * chains end with an odd word. */
static uint32_t count_symbols(const uint32_t *hash)
{
    uint32_t buckets = hash[0], first = hash[1], blooms = hash[2], last = 0;
    const uint32_t *bucket = hash + 4 + blooms * (sizeof(ElfW(Addr)) / sizeof(uint32_t));
    const uint32_t *chain = bucket + buckets;

    for (uint32_t i = 0; i < buckets; i++)
        if (bucket[i] > last)
            last = bucket[i];
    if (last < first)
        return 0;
    while ((chain[last - first] & 1) == 0)
        last++;
    return last + 1;
}

static const ElfW(Sym) * find_symbol(const struct symbols *s, uintptr_t offset)
{
    uint32_t count = s->hash != NULL ? count_symbols(s->hash) : 0;

    for (uint32_t i = 0; s->table != NULL && s->names != NULL && i < count; i++) {
        const ElfW(Sym) *symbol = &s->table[i];

        if (ELF64_ST_TYPE(symbol->st_info) == STT_FUNC && symbol->st_shndx != SHN_UNDEF &&
            offset - symbol->st_value < symbol->st_size)
            return symbol;
    }
    return NULL;
}

/* ---- lines ---- */

static void write_named(enum log_level level, const char *const start[static 2],
                        const struct link_map *module, uintptr_t address)
{
    char hex[FRAME_NUMBER];
    uintptr_t offset = address - module->l_addr;
    struct symbols s = symbols_of(module);
    const ElfW(Sym) *symbol = find_symbol(&s, offset);
    const char *name = symbol != NULL ? s.names + symbol->st_name : "";

    if (symbol != NULL)
        offset -= symbol->st_value;
    const char *const texts[] = {start[0], start[1], " ", file_of(module),
                                 "(",      name,     "+", frame_hex(offset, hex),
                                 ")"};
    log_texts(level, texts, COUNT_OF(texts));
}

static struct link_map *module_of(uintptr_t address)
{
    struct dl_find_object found;

    return _dl_find_object((void *)address, &found) == 0 ? found.dlfo_link_map : NULL;
}

static void write_frame(enum log_level level, const char *word, int number, void *frame)
{
    char decimal[FRAME_NUMBER], hex[FRAME_NUMBER];
    uintptr_t address = (uintptr_t)frame;
    const struct link_map *module = module_of(address);
    const char *const start[] = {word, frame_decimal((unsigned long)number, decimal)};

    if (module != NULL) {
        write_named(level, start, module, address);
        return;
    }
    const char *const bare[] = {start[0], start[1], " ", frame_hex(address, hex)};
    log_texts(level, bare, COUNT_OF(bare));
}

void frame_start(const struct heritage *h)
{
    void *frame[1];

    heritage = h;
    (void)backtrace(frame, 1); /* the first call loads libgcc, and takes memory */
}

int frame_write_all(enum log_level level, const char *word, const void *machine, int most)
{
    void *frame[FRAME_MOST];
    uintptr_t from = program_counter(machine);
    if (module_of(from) == NULL) { /* a jump into nowhere: no walk begins there */
        frame[0] = (void *)from;
        write_frame(level, word, 0, frame[0]);
        return 1;
    }
    int count = backtrace(frame, FRAME_MOST), first = 0;
    while (first < count && (uintptr_t)frame[first] != from)
        first++;
    if (first == count) /* not found: a sanitizer has called us later */
        first = 0;
    if (most < count - first)
        count = first + most;
    for (int i = first; i < count; i++)
        write_frame(level, word, i - first, frame[i]);
    return count - first;
}

/* ---- guesses ---- */

/* Memory that may not be there: the kernel reads it for us, or not. */
static bool read_memory(uintptr_t address, void *out, size_t n)
{
    union {
        uintptr_t in;
        void *out;
    } from = {address};
    struct iovec local = {out, n}, remote = {from.out, n};

    return process_vm_readv(getpid(), &local, 1, &remote, 1, 0) == (ssize_t)n;
}

/* Does a call end right before it? */
static bool follows_call(uintptr_t address)
{
#if defined(__x86_64__)
    unsigned char code[7];

    if (address < sizeof code || !read_memory(address - sizeof code, code, sizeof code))
        return false;
    return code[2] == 0xe8 || code[5] == 0xff || code[4] == 0xff || code[1] == 0xff;
#else
    uint32_t code;

    if (address < sizeof code || address % sizeof code != 0 ||
        !read_memory(address - sizeof code, &code, sizeof code))
        return false;
    return (code & 0xfc000000) == 0x94000000 || (code & 0xfffffc1f) == 0xd63f0000;
#endif
}

void frame_write_guesses(enum log_level level, const char *word, const void *machine)
{
    enum { WORDS = 512, SHOWN = 12 };
    uintptr_t at = (uintptr_t)frame_stack_pointer(machine) & ~(sizeof(uintptr_t) - 1);
    const char *const start[] = {word, "?"};
    int shown = 0;

    for (int i = 0; i < WORDS && shown < SHOWN; i++, at += sizeof at) {
        uintptr_t value;
        const struct link_map *module;

        if (!read_memory(at, &value, sizeof value))
            return;
        module = module_of(value);
        if (module == NULL || !follows_call(value))
            continue;
        write_named(level, start, module, value);
        shown++;
    }
}
