/* SPDX-License-Identifier: MIT */
/*
 * plugin_open - dlopen, and the checks before the first call.    [worker]
 *
 * Owns:    nothing; a shared object once opened stays for the life of the process.
 * Called:  by plugin.c, on the loop thread, while booting.
 * Fails:   with one line that names both versions and the cure.
 *
 * The image is a sealed memfd whose number stays open for life: the file on disk may be
 * overwritten meanwhile. Only an object that looks for its neighbours ($ORIGIN) is loaded
 * from its real path.
 */
#include "worker/plugin_open.h"

#include "common/heritage.h"
#include "common/log.h"
#include "worker/api.h"

#include <dlfcn.h>
#include <elf.h>
#include <link.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>

/* ---- $ORIGIN ---- */

struct elf_file {
    const char *bytes;
    size_t n;
};

static const void *part(const struct elf_file *f, uint64_t at, uint64_t n)
{
    return at <= f->n && n <= f->n - at ? f->bytes + at : NULL;
}

static uint64_t offset_of_address(const struct elf_file *f, const ElfW(Ehdr) * head,
                                  uint64_t address)
{
    for (unsigned i = 0; i < head->e_phnum; i++) {
        const ElfW(Phdr) *p = part(f, head->e_phoff + i * sizeof *p, sizeof *p);
        if (p == NULL)
            break;
        if (p->p_type == PT_LOAD && address >= p->p_vaddr &&
            address - p->p_vaddr < p->p_filesz)
            return p->p_offset + (address - p->p_vaddr);
    }
    return UINT64_MAX;
}

static bool path_has_origin(const struct elf_file *f, uint64_t at)
{
    const char *text = part(f, at, 1);
    size_t n = text != NULL ? strnlen(text, f->n - at) : 0;
    return n > 0 && (memmem(text, n, "$ORIGIN", 7) != NULL ||
                     memmem(text, n, "${ORIGIN}", 9) != NULL);
}

static bool dynamic_has_origin(const struct elf_file *f, const ElfW(Ehdr) * head,
                               const ElfW(Phdr) * dynamic)
{
    uint64_t strings = UINT64_MAX;
    for (int pass = 0; pass < 2; pass++) {
        for (uint64_t at = 0; at < dynamic->p_filesz; at += sizeof(ElfW(Dyn))) {
            const ElfW(Dyn) *d = part(f, dynamic->p_offset + at, sizeof *d);
            if (d == NULL || d->d_tag == DT_NULL)
                break;
            if (pass == 0 && d->d_tag == DT_STRTAB)
                strings = offset_of_address(f, head, d->d_un.d_ptr);
            bool is_path = d->d_tag == DT_RUNPATH || d->d_tag == DT_RPATH;
            if (pass == 1 && is_path && strings != UINT64_MAX &&
                path_has_origin(f, strings + d->d_un.d_val))
                return true;
        }
    }
    return false;
}

static bool elf_has_origin(const struct elf_file *f)
{
    const ElfW(Ehdr) *head = part(f, 0, sizeof *head);
    if (head == NULL || memcmp(head->e_ident, ELFMAG, SELFMAG) != 0)
        return false;
    for (unsigned i = 0; i < head->e_phnum; i++) {
        const ElfW(Phdr) *p = part(f, head->e_phoff + i * sizeof *p, sizeof *p);
        if (p == NULL)
            return false;
        if (p->p_type == PT_DYNAMIC)
            return dynamic_has_origin(f, head, p);
    }
    return false;
}

static bool image_has_origin(int fd)
{
    struct stat st;
    if (fstat(fd, &st) < 0 || st.st_size <= 0)
        return false;
    size_t n = (size_t)st.st_size;
    void *bytes = mmap(NULL, n, PROT_READ, MAP_PRIVATE, fd, 0);
    if (bytes == MAP_FAILED)
        return false;
    struct elf_file f = {bytes, n};
    bool has_origin = elf_has_origin(&f);
    munmap(bytes, n);
    return has_origin;
}

/* ---- open ---- */

static bool file_is_the_same(const struct heritage_image *image)
{
    struct stat st;
    if (stat(image->path, &st) < 0)
        return false;
    uint64_t ns =
        (uint64_t)st.st_mtim.tv_sec * 1000000000u + (uint64_t)st.st_mtim.tv_nsec;
    return st.st_ino == image->inode && ns == image->mtime_ns;
}

static void *open_image(const struct heritage_image *image,
                        char why[static PLUGIN_WHY_BYTES])
{
    char own[32];
    const char *path = image->path;
    bool is_real = image->fd < 0;
    if (!is_real && image_has_origin(image->fd)) {
        is_real = true;
        log_warn("%s: its RUNPATH says $ORIGIN, so it is loaded from its path; do not "
                 "overwrite the file while it is in use",
                 path);
    }
    if (is_real && image->inode != 0 && !file_is_the_same(image)) {
        snprintf(why, PLUGIN_WHY_BYTES,
                 "%s has changed since this generation began; reload to take the new one",
                 path);
        return NULL;
    }
    if (!is_real) {
        snprintf(own, sizeof own, "/proc/self/fd/%d", image->fd);
        path = own;
    }
    void *handle = dlopen(path, RTLD_NOW | RTLD_LOCAL);
    if (handle == NULL)
        snprintf(why, PLUGIN_WHY_BYTES, "%s cannot be loaded: %s", image->path,
                 dlerror());
    return handle;
}

static bool is_ours(const remuda_plugin *p, const char *path,
                    char why[static PLUGIN_WHY_BYTES])
{
    if (p->magic != REMUDA_MAGIC)
        snprintf(why, PLUGIN_WHY_BYTES,
                 "%s: remuda_plugin_v1 has the magic %#x, not %#x: declare it with "
                 "REMUDA_PLUGIN",
                 path, p->magic, REMUDA_MAGIC);
    else if (p->abi != REMUDA_ABI)
        snprintf(
            why, PLUGIN_WHY_BYTES,
            "%s: built for plugin ABI %u, this remuda speaks %u: rebuild it with this "
            "remuda.h",
            path, p->abi, REMUDA_ABI);
    else if (p->need_minor > REMUDA_ABI_MINOR)
        snprintf(why, PLUGIN_WHY_BYTES,
                 "%s: needs plugin ABI %u.%u, this remuda has %u.%u: upgrade remuda, or "
                 "build it with -DREMUDA_NEED_MINOR=%u",
                 path, REMUDA_ABI, p->need_minor, REMUDA_ABI, REMUDA_ABI_MINOR,
                 REMUDA_ABI_MINOR);
    else if (p->size < sizeof *p || p->api == NULL ||
             p->route_size < sizeof(remuda_route) ||
             p->option_size < sizeof(remuda_option))
        snprintf(why, PLUGIN_WHY_BYTES,
                 "%s: its declaration is smaller than ABI %u has it (%u bytes, not %zu)",
                 path, REMUDA_ABI, p->size, sizeof *p);
    else
        return true;
    return false;
}

const remuda_plugin *plugin_open(const struct heritage_image *image, void **handle_out,
                                 char why[static PLUGIN_WHY_BYTES])
{
    void *handle = open_image(image, why);
    if (handle == NULL)
        return NULL;
    const remuda_plugin *p = dlsym(handle, "remuda_plugin_v1");
    if (p == NULL) {
        snprintf(why, PLUGIN_WHY_BYTES,
                 "%s has no symbol remuda_plugin_v1: declare it with REMUDA_PLUGIN",
                 image->path);
        return NULL;
    }
    if (!is_ours(p, image->path, why))
        return NULL;
    *p->api = &api_table;
    *handle_out = handle;
    return p;
}
