// SPDX-License-Identifier: MIT
/*
 * errors - a static program of Linux, for tests/system/test_linux.py: calls with arguments that are wrong, and what they
 * answer, a line each. The same file runs on the host, on a terminal, and is to say the same there.
 */
#include "tests/linux/program.h"

PROGRAM_START;

#define AT_FDCWD ((uint64_t)-100)
#define AT_SYMLINK_NOFOLLOW 0x100
#define DONTNEED 4
#define PRIVATE 2
#define FIXED 0x10
#define ANONYMOUS 0x20
#define MAYMOVE 1
#define NOWHERE 0x10000000ull /* nothing is mapped there */

/* Numbers of asm/unistd_64.h. */
static const struct {
    const char *name;
    uint64_t number, arguments[6];
} calls[] = {
    {"ioctl that terminals do not know", 16, {1, 0x1234}},
    {"ioctl of size to nowhere", 16, {1, 0x5413, NOWHERE}},
    {"utimensat of no path", 280, {AT_FDCWD}},
    {"utimensat of a descriptor with flags", 280, {1, 0, 0, AT_SYMLINK_NOFOLLOW}},
    {"utimensat of no descriptor", 280, {999}},
    {"madvise above all addresses", 28, {1ull << 63, 4096, DONTNEED}},
    {"madvise around the end", 28, {-4096ull, 8192, DONTNEED}},
    {"madvise of a length that wraps", 28, {4096, UINT64_MAX, DONTNEED}},
    {"madvise of nothing", 28, {NOWHERE, 0, DONTNEED}},
    {"madvise of what is not mapped", 28, {NOWHERE, 4096, DONTNEED}},
    {"madvise inside a page", 28, {NOWHERE + 1, 4096, DONTNEED}},
    {"munmap of more than there is", 11, {4096, UINT64_MAX}},
    {"mprotect of what is not mapped", 10, {NOWHERE, 4096, 1}},
    {"read to nowhere", 0, {999, NOWHERE, 1}},
    {"write from nowhere", 1, {1, NOWHERE, 1}},
    {"open of nowhere", 2, {NOWHERE}},
    {"getcwd to nowhere", 79, {NOWHERE, 100}},
    {"nanosleep of nowhere", 35, {NOWHERE}},
    {"poll of nowhere", 7, {NOWHERE, 1}},
    {"mmap of nothing, of no descriptor", 9, {0, 0, 1, PRIVATE, 999, 0}},
    {"mmap inside a page, of no descriptor", 9, {0, 4096, 1, PRIVATE, 999, 1}},
    {"mmap of no kind, of no descriptor", 9, {0, 4096, 1, 0, 999, 0}},
    {"mmap of no kind", 9, {0, 4096, 1, ANONYMOUS, 999, 0}},
    {"mmap of nothing", 9, {0, 0, 1, PRIVATE | ANONYMOUS, 999, 0}},
    {"mmap of all there is", 9, {0, -4096ull, 1, PRIVATE | ANONYMOUS, 999, 0}},
    {"mmap inside a page of addresses",
     9,
     {NOWHERE + 1, 4096, 1, PRIVATE | ANONYMOUS | FIXED, 999, 0}},
    {"mmap of no kind inside a page", 9, {NOWHERE + 1, 4096, 1, ANONYMOUS | FIXED, 999, 0}},
    {"mmap of a terminal", 9, {0, 4096, 1, PRIVATE, 1, 0}},
    {"mremap of what is not mapped", 25, {NOWHERE, 4096, 8192, MAYMOVE}},
    {"mremap to nothing", 25, {NOWHERE, 4096, 0, MAYMOVE}},
    {"mremap of no flags", 25, {NOWHERE, 4096, 8192, 64}},
    {"mremap inside a page", 25, {NOWHERE + 1, 4096, 8192, MAYMOVE}},
    {"pread behind nothing, of no descriptor", 17, {999, NOWHERE, 1, -1ull}},
    {"pread of a terminal behind nothing", 17, {0, NOWHERE, 1, -1ull}},
    {"lseek of no descriptor in no way", 8, {999, 0, 77}},
    {"lseek of a terminal in no way", 8, {0, 0, 77}},
    {"readv of too many, of no descriptor", 19, {999, NOWHERE, 2000}},
    {"writev of too many", 20, {1, NOWHERE, 2000}},
    {"dup3 to itself", 292, {999, 999, 0}},
    {"dup3 to itself with no flags", 292, {999, 999, 1}},
    {"dup3 beyond all", 292, {1, 1 << 30, 0}},
    {"dup2 of no descriptor", 33, {999, 998}},
    {"dup2 to itself, of no descriptor", 33, {999, 999}},
    {"fcntl of no descriptor, of no command", 72, {999, 12345}},
    {"fcntl of no command", 72, {1, 12345}},
    {"ftruncate below nothing, of no descriptor", 77, {999, -1ull}},
    {"ftruncate of a terminal", 77, {1, 0}},
    {"getdents of a terminal", 217, {1, NOWHERE, 100}},
    {"getdents of no descriptor", 217, {999, NOWHERE, 100}},
    {"fstat of no descriptor to nowhere", 5, {999, NOWHERE}},
    {"fstat to nowhere", 5, {1, NOWHERE}},
    {"newfstatat with no flags", 262, {AT_FDCWD, NOWHERE, NOWHERE, 1}},
    {"faccessat in no way", 269, {AT_FDCWD, NOWHERE, 8}},
    {"clock_gettime of no clock to nowhere", 228, {77, NOWHERE}},
    {"clock_nanosleep of no clock", 230, {77, 0, NOWHERE}},
    {"getrlimit of nothing", 97, {77, NOWHERE}},
    {"sigaction of no signal to nowhere", 13, {0, NOWHERE, 0, 8}},
    {"sigaction from nowhere", 13, {1, NOWHERE, 0, 8}},
    {"sigprocmask in no way from nowhere", 14, {77, NOWHERE, 0, 8}},
    {"select below nothing", 23, {-1ull}},
    {"select of nowhere", 23, {1, NOWHERE}},
    {"ppoll until nowhere", 271, {0, 0, NOWHERE}},
    {"setitimer of no timer", 38, {77, 0}},
    {"setitimer from nowhere", 38, {0, NOWHERE}},
    {"getitimer of no timer to nowhere", 36, {77, NOWHERE}},
    {"sched_getaffinity of nobody, of half a word", 204, {1 << 30, 1028, NOWHERE}},
    {"sched_getaffinity of nobody", 204, {1 << 30, 1024, NOWHERE}},
    {"sched_getaffinity below nobody", 204, {-1ull, 1024, NOWHERE}},
    {"sched_getaffinity to nowhere", 204, {0, 1024, NOWHERE}},
};

void start(void)
{
    for (unsigned i = 0; i < sizeof calls / sizeof calls[0]; i++) {
        const uint64_t *a = calls[i].arguments;
        int64_t result = call(calls[i].number, a[0], a[1], a[2], a[3], a[4], a[5]);

        print(calls[i].name);
        print(result < 0 ? ": error " : ": ");
        print_number(result < 0 ? -result : result);
        print("\n");
    }
    end(0);
}
