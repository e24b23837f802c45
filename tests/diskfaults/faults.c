/* Faults of a disk, below all that a process does with files: loaded before the C library (LD_PRELOAD).
 *
 * GPUCURATE_FAULTS        folder of the counter, of the log and of what is saved; nothing happens without it
 * GPUCURATE_FAULTS_UNDER  calls about paths under this folder are counted, over all processes
 * GPUCURATE_FAULTS_AT     the call of this number, from 1, ...
 * GPUCURATE_FAULTS_HOW    ... fails with this errno; of 0, its process is killed before the call
 * GPUCURATE_FAULTS_LOG    1: note what is not on disk yet, so that a test can take it away
 *
 * The log has a line a call, of fields with tabs between:
 *   W inode offset bytes    written, from here on not on disk
 *   S inode                 synced: all that was written is on disk
 *   D folder                a folder was synced: all names in it are on disk
 *   C path inode            made
 *   M path                  a folder was made
 *   R old new saved         renamed; what had the new name before is kept as SAVED, - if nothing
 *   U path saved            removed, and kept
 *   X path                  a folder was removed
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

typedef struct {
    atomic_long calls;
    atomic_long saved;
    char name[64]; /* of the call that failed, and its path: for messages of tests */
    char path[PATH_MAX];
} Shared;

static Shared *shared;
static char state[PATH_MAX - 64], under[PATH_MAX];
static long at;
static int how, logs = -1;

#define REAL(name) ((__typeof__(&name))real_##name())
#define KNOW(name)                                              \
    static void *real_##name(void) {                            \
        static void *known;                                     \
        if (!known) known = dlsym(RTLD_NEXT, #name);            \
        return known;                                           \
    }
KNOW(open) KNOW(open64) KNOW(openat) KNOW(openat64) KNOW(write) KNOW(pwrite64) KNOW(pwritev) KNOW(fwrite)
KNOW(fsync) KNOW(fdatasync) KNOW(rename) KNOW(renameat) KNOW(renameat2) KNOW(unlink) KNOW(unlinkat) KNOW(rmdir)
KNOW(mkdir) KNOW(mkdirat) KNOW(link) KNOW(linkat) KNOW(ftruncate64) KNOW(fallocate64)

static long number(const char *name) {
    const char *given = getenv(name);
    return given ? atol(given) : 0;
}

/* Read the settings: when the library is loaded, and again by a process that was forked and given others. */
__attribute__((constructor)) void faults_arm(void) {
    const char *folder = getenv("GPUCURATE_FAULTS"), *root = getenv("GPUCURATE_FAULTS_UNDER");
    char path[PATH_MAX + 16];
    shared = NULL;
    if (!folder || !root) return;
    snprintf(state, sizeof state, "%s", folder);
    snprintf(under, sizeof under, "%s", root);
    at = number("GPUCURATE_FAULTS_AT");
    how = (int)number("GPUCURATE_FAULTS_HOW");
    snprintf(path, sizeof path, "%s/counter", state);
    int file = syscall(SYS_openat, AT_FDCWD, path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (file < 0 || syscall(SYS_ftruncate, file, sizeof(Shared))) abort();
    void *map = mmap(NULL, sizeof(Shared), PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
    close(file);
    if (map == MAP_FAILED) abort();
    snprintf(path, sizeof path, "%s/log", state);
    if (number("GPUCURATE_FAULTS_LOG"))
        logs = syscall(SYS_openat, AT_FDCWD, path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600);
    shared = map;
}

static void note(const char *format, ...) {
    if (logs < 0) return;
    char line[3 * PATH_MAX];
    int kept = errno;
    va_list given;
    va_start(given, format);
    int length = vsnprintf(line, sizeof line, format, given);
    va_end(given);
    if (syscall(SYS_write, logs, line, length) != length) abort();
    errno = kept;
}

/* The whole path of a name that may be relative to a folder. */
static const char *full(int folder, const char *path, char *out) {
    char link[64];
    if (path[0] == '/') return path;
    if (folder == AT_FDCWD) snprintf(link, sizeof link, "/proc/self/cwd");
    else snprintf(link, sizeof link, "/proc/self/fd/%d", folder);
    ssize_t length = readlink(link, out, PATH_MAX - 1);
    if (length < 0) return path;
    snprintf(out + length, PATH_MAX - length, "/%s", path);
    return out;
}

static const char *of(int file, char *out) {
    char link[64];
    snprintf(link, sizeof link, "/proc/self/fd/%d", file);
    ssize_t length = readlink(link, out, PATH_MAX - 1);
    if (length < 0) return "";
    out[length] = 0;
    return out;
}

static int is_ours(const char *path) {
    size_t length = strlen(under);
    return shared && !strncmp(path, under, length) && (!path[length] || path[length] == '/');
}

/* Whether the call is to fail; errno says how. */
static int fails(const char *name, const char *path) {
    if (atomic_fetch_add(&shared->calls, 1) + 1 != at) return 0;
    snprintf(shared->name, sizeof shared->name, "%s", name);
    snprintf(shared->path, sizeof shared->path, "%s", path);
    if (!how) syscall(SYS_kill, getpid(), SIGKILL);
    errno = how;
    return 1;
}

static int is_there(const char *path) {
    struct stat found;
    return !lstat(path, &found);
}

/* Keep a file that is about to lose its name; the name that it is kept by, or "-". */
static const char *keep(const char *path, char *out) {
    struct stat found;
    if (logs < 0 || lstat(path, &found) || S_ISDIR(found.st_mode)) return "-";
    snprintf(out, PATH_MAX, "%s/saved-%ld", state, atomic_fetch_add(&shared->saved, 1));
    return syscall(SYS_linkat, AT_FDCWD, path, AT_FDCWD, out, 0) ? "-" : out;
}

static int opened(int file, const char *path, int was_there) {
    struct stat found;
    if (file >= 0 && !was_there && !fstat(file, &found)) note("C\t%s\t%ld\n", path, (long)found.st_ino);
    return file;
}

#define OPEN(name, folder, parameters, ...)                                          \
    int name parameters {                                                            \
        char out[PATH_MAX];                                                          \
        mode_t mode = 0;                                                             \
        if (flags & (O_CREAT | __O_TMPFILE)) {                                       \
            va_list given;                                                           \
            va_start(given, flags);                                                  \
            mode = va_arg(given, mode_t);                                            \
            va_end(given);                                                           \
        }                                                                            \
        const char *whole = shared ? full(folder, path, out) : path;                 \
        if (!is_ours(whole)) return REAL(name)(__VA_ARGS__, mode);                   \
        if (fails("open", whole)) return -1;                                         \
        int was_there = !(flags & O_CREAT) || is_there(whole);                       \
        return opened(REAL(name)(__VA_ARGS__, mode), whole, was_there);              \
    }
OPEN(open, AT_FDCWD, (const char *path, int flags, ...), path, flags)
OPEN(open64, AT_FDCWD, (const char *path, int flags, ...), path, flags)
OPEN(openat, folder, (int folder, const char *path, int flags, ...), folder, path, flags)
OPEN(openat64, folder, (int folder, const char *path, int flags, ...), folder, path, flags)

static void wrote(int file, off64_t offset, size_t bytes) {
    struct stat found;
    if (logs < 0 || fstat(file, &found) || !S_ISREG(found.st_mode)) return;
    if (offset < 0) offset = fcntl(file, F_GETFL) & O_APPEND ? found.st_size : lseek64(file, 0, SEEK_CUR);
    note("W\t%ld\t%ld\t%zu\n", (long)found.st_ino, (long)offset, bytes);
}

#define ON_FILE(name, result, failure, offset, bytes, parameters, ...)               \
    result name parameters {                                                         \
        char out[PATH_MAX];                                                          \
        if (shared) {                                                                \
            const char *path = of(file, out);                                        \
            if (is_ours(path)) {                                                     \
                if (fails(#name, path)) return failure;                              \
                wrote(file, offset, bytes);                                          \
            }                                                                        \
        }                                                                            \
        return REAL(name)(__VA_ARGS__);                                              \
    }
ON_FILE(write, ssize_t, -1, -1, count, (int file, const void *from, size_t count), file, from, count)
ON_FILE(pwrite64, ssize_t, -1, where, count, (int file, const void *from, size_t count, off64_t where), file, from, count, where)
ON_FILE(ftruncate64, int, -1, size, 1, (int file, off64_t size), file, size)
ON_FILE(fallocate64, int, -1, where, size, (int file, int mode, off64_t where, off64_t size), file, mode, where, size)
ON_FILE(pwritev, ssize_t, -1, where, (size_t)1 << 40, (int file, const struct iovec *parts, int count, off_t where), file, parts, count, where)

size_t fwrite(const void *from, size_t size, size_t count, FILE *stream) {
    char out[PATH_MAX];
    if (shared) {
        const char *path = of(fileno(stream), out);
        if (is_ours(path)) {
            if (fails("fwrite", path)) return 0;
            wrote(fileno(stream), 0, (size_t)1 << 40);
        }
    }
    return REAL(fwrite)(from, size, count, stream);
}

static int synced(int result, int file, const char *path) {
    struct stat found;
    if (!result && !fstat(file, &found)) {
        if (S_ISDIR(found.st_mode)) note("D\t%s\n", path);
        else note("S\t%ld\n", (long)found.st_ino);
    }
    return result;
}

#define SYNC(name)                                                                   \
    int name(int file) {                                                             \
        char out[PATH_MAX];                                                          \
        const char *path = shared ? of(file, out) : "";                              \
        if (!is_ours(path)) return REAL(name)(file);                                 \
        if (fails(#name, path)) return -1;                                           \
        return synced(REAL(name)(file), file, path);                                 \
    }
SYNC(fsync)
SYNC(fdatasync)

#define RENAME(name, from, to, parameters, ...)                                      \
    int name parameters {                                                            \
        char one[PATH_MAX], other[PATH_MAX], saved[PATH_MAX];                        \
        const char *whole = shared ? full(to, target, other) : target;               \
        if (!is_ours(whole)) return REAL(name)(__VA_ARGS__);                         \
        if (fails("rename", whole)) return -1;                                       \
        const char *kept = keep(whole, saved);                                       \
        const char *before = full(from, path, one);                                  \
        int result = REAL(name)(__VA_ARGS__);                                        \
        if (!result) note("R\t%s\t%s\t%s\n", before, whole, kept);                   \
        return result;                                                               \
    }
RENAME(rename, AT_FDCWD, AT_FDCWD, (const char *path, const char *target), path, target)
RENAME(renameat, from, to, (int from, const char *path, int to, const char *target), from, path, to, target)
RENAME(renameat2, from, to, (int from, const char *path, int to, const char *target, unsigned flags), from, path, to, target, flags)

#define ON_NAME(name, folder, format, parameters, ...)                               \
    int name parameters {                                                            \
        char out[PATH_MAX], saved[PATH_MAX];                                         \
        const char *whole = shared ? full(folder, path, out) : path;                 \
        if (!is_ours(whole)) return REAL(name)(__VA_ARGS__);                         \
        if (fails(#name, whole)) return -1;                                          \
        const char *kept = format[0] == 'U' ? keep(whole, saved) : "-";              \
        int result = REAL(name)(__VA_ARGS__);                                        \
        if (!result) note(format, whole, kept);                                      \
        return result;                                                               \
    }
ON_NAME(unlink, AT_FDCWD, "U\t%s\t%s\n", (const char *path), path)
ON_NAME(unlinkat, folder, (flags & AT_REMOVEDIR ? "X\t%s\n" : "U\t%s\t%s\n"), (int folder, const char *path, int flags), folder, path, flags)
ON_NAME(rmdir, AT_FDCWD, "X\t%s\n", (const char *path), path)
ON_NAME(mkdir, AT_FDCWD, "M\t%s\n", (const char *path, mode_t mode), path, mode)
ON_NAME(mkdirat, folder, "M\t%s\n", (int folder, const char *path, mode_t mode), folder, path, mode)

int link(const char *path, const char *target) {
    char out[PATH_MAX];
    const char *whole = shared ? full(AT_FDCWD, target, out) : target;
    if (!is_ours(whole)) return REAL(link)(path, target);
    if (fails("link", whole)) return -1;
    int result = REAL(link)(path, target);
    if (!result) note("C\t%s\t0\n", whole);
    return result;
}

int linkat(int from, const char *path, int to, const char *target, int flags) {
    char out[PATH_MAX];
    const char *whole = shared ? full(to, target, out) : target;
    if (!is_ours(whole)) return REAL(linkat)(from, path, to, target, flags);
    if (fails("link", whole)) return -1;
    int result = REAL(linkat)(from, path, to, target, flags);
    if (!result) note("C\t%s\t0\n", whole);
    return result;
}
