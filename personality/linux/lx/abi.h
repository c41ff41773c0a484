// SPDX-License-Identifier: MIT
/* abi.h - records and numbers that programs of Linux x86_64 and lx exchange: the uapi headers of Linux 6.1. */
#pragma once

#include <stdint.h>

/* asm/stat.h */
struct linux_stat {
    uint64_t device, inode, links;
    uint32_t mode, user, group, reserved;
    uint64_t rdev;
    int64_t size, block_bytes, blocks;
    uint64_t accessed_s, accessed_ns, modified_s, modified_ns, changed_s, changed_ns;
    uint64_t reserved2[3];
};
_Static_assert(sizeof(struct linux_stat) == 144, "struct stat");

#define LINUX_S_IFDIR 0040000u
#define LINUX_S_IFCHR 0020000u
#define LINUX_S_IFREG 0100000u
#define LINUX_S_IFLNK 0120000u
#define LINUX_S_IFSOCK 0140000u
#define LINUX_S_IFIFO 0010000u
#define LINUX_S_IFMT 0170000u

/* asm-generic/fcntl.h, linux/fcntl.h */
#define LINUX_O_ACCMODE 3u
#define LINUX_O_RDONLY 0u
#define LINUX_O_WRONLY 1u
#define LINUX_O_RDWR 2u
#define LINUX_O_CREAT 0100u
#define LINUX_O_EXCL 0200u
#define LINUX_O_NOCTTY 0400u
#define LINUX_O_TRUNC 01000u
#define LINUX_O_APPEND 02000u
#define LINUX_O_NONBLOCK 04000u
#define LINUX_O_DIRECTORY 0200000u
#define LINUX_O_NOFOLLOW 0400000u
#define LINUX_O_CLOEXEC 02000000u
#define LINUX_O_PATH 010000000u
#define LINUX_O_LARGEFILE 0100000u
#define LINUX_O_TMPFILE_BIT 020000000u

#define LINUX_AT_SYMLINK_NOFOLLOW 0x100u
#define LINUX_AT_REMOVEDIR 0x200u
#define LINUX_AT_EACCESS 0x200u
#define LINUX_AT_SYMLINK_FOLLOW 0x400u
#define LINUX_AT_NO_AUTOMOUNT 0x800u
#define LINUX_AT_EMPTY_PATH 0x1000u

#define LINUX_F_DUPFD 0u
#define LINUX_F_GETFD 1u
#define LINUX_F_SETFD 2u
#define LINUX_F_GETFL 3u
#define LINUX_F_SETFL 4u
#define LINUX_F_DUPFD_CLOEXEC 1030u
#define LINUX_FD_CLOEXEC 1u

#define LINUX_SEEK_SET 0u
#define LINUX_SEEK_CUR 1u
#define LINUX_SEEK_END 2u
#define LINUX_SEEK_DATA 3u
#define LINUX_SEEK_HOLE 4u

struct linux_iovec {
    uint64_t base, length;
};
#define LINUX_IOV_MAX 1024u
/* What one read or write moves at most (MAX_RW_COUNT). */
#define LINUX_IO_MAX 0x7FFFF000ull

/* linux/dirent.h: the name and its NUL follow, then zeros up to a multiple of 8. */
struct linux_dirent64 {
    uint64_t inode;
    int64_t offset;
    uint16_t bytes;
    uint8_t type;
    char name[];
};
#define LINUX_DIRENT64_NAME 19u
#define LINUX_DT_CHR 2u
#define LINUX_DT_DIR 4u
#define LINUX_DT_REG 8u
#define LINUX_DT_LNK 10u

/* asm/statfs.h */
struct linux_statfs {
    int64_t type, block_bytes;
    uint64_t blocks, blocks_free, blocks_available, files, files_free;
    int32_t id[2];
    int64_t name_bytes, fragment_bytes, flags, spare[4];
};
_Static_assert(sizeof(struct linux_statfs) == 120, "struct statfs");

/* asm-generic/mman-common.h, linux/mman.h */
#define LINUX_PROT_ALL 7u
#define LINUX_PROT_GROWSDOWN 0x01000000u
#define LINUX_PROT_GROWSUP 0x02000000u
#define LINUX_MAP_SHARED 1u
#define LINUX_MAP_PRIVATE 2u
#define LINUX_MAP_SHARED_VALIDATE 3u
#define LINUX_MAP_TYPE 0xFu
#define LINUX_MAP_FIXED 0x10u
#define LINUX_MAP_ANONYMOUS 0x20u
#define LINUX_MAP_FIXED_NOREPLACE 0x100000u
#define LINUX_MREMAP_MAYMOVE 1u
#define LINUX_MREMAP_FIXED 2u
#define LINUX_MADV_DONTNEED 4u
#define LINUX_MADV_FREE 8u

/* asm-generic/poll.h */
struct linux_pollfd {
    int32_t fd;
    uint16_t events, revents;
};
#define LINUX_POLLIN 1u
#define LINUX_POLLPRI 2u
#define LINUX_POLLOUT 4u
#define LINUX_POLLERR 8u
#define LINUX_POLLHUP 0x10u
#define LINUX_POLLNVAL 0x20u
#define LINUX_POLLRDNORM 0x40u
#define LINUX_POLLWRNORM 0x100u
#define LINUX_POLLRDHUP 0x2000u

/* linux/time.h, linux/resource.h */
struct linux_timespec {
    int64_t seconds, nanoseconds;
};
struct linux_timeval {
    int64_t seconds, microseconds;
};
struct linux_rlimit {
    uint64_t current, maximum;
};
#define LINUX_RLIMITS 16u

struct linux_utsname {
    char system[65], node[65], release[65], version[65], machine[65], domain[65];
};

struct linux_sysinfo {
    int64_t uptime;
    uint64_t loads[3], total_ram, free_ram, shared_ram, buffer_ram, total_swap, free_swap;
    uint16_t processes, pad;
    uint32_t pad2;
    uint64_t total_high, free_high;
    uint32_t unit;
    uint32_t pad3;
};
_Static_assert(sizeof(struct linux_sysinfo) == 112, "struct sysinfo");

/* asm-generic/termbits.h, asm-generic/ioctls.h */
struct linux_termios {
    uint32_t input, output, control, local;
    uint8_t line, characters[19];
};
_Static_assert(sizeof(struct linux_termios) == 36, "the kernel's struct termios");
struct linux_winsize {
    uint16_t rows, columns, x_pixels, y_pixels;
};
#define LINUX_TCGETS 0x5401u
#define LINUX_TCSETS 0x5402u
#define LINUX_TCSETSW 0x5403u
#define LINUX_TCSETSF 0x5404u
#define LINUX_TCFLSH 0x540Bu
#define LINUX_TIOCGPGRP 0x540Fu
#define LINUX_TIOCSPGRP 0x5410u
#define LINUX_TIOCGWINSZ 0x5413u
#define LINUX_FIONREAD 0x541Bu
#define LINUX_FIONBIO 0x5421u
#define LINUX_TIOCGSID 0x5429u

#define LINUX_ICRNL 0000400u
#define LINUX_INLCR 0000100u
#define LINUX_IGNCR 0000200u
#define LINUX_IXON 0002000u
#define LINUX_OPOST 0000001u
#define LINUX_ONLCR 0000004u
#define LINUX_ISIG 0000001u
#define LINUX_ICANON 0000002u
#define LINUX_ECHO 0000010u
#define LINUX_ECHOE 0000020u
#define LINUX_ECHOK 0000040u
#define LINUX_TOSTOP 0000400u
#define LINUX_ECHOCTL 0001000u
#define LINUX_ECHOKE 0004000u
#define LINUX_IEXTEN 0100000u
#define LINUX_CS8 0000060u
#define LINUX_CREAD 0000200u
#define LINUX_B38400 0000017u
enum {
    LINUX_VINTR,
    LINUX_VQUIT,
    LINUX_VERASE,
    LINUX_VKILL,
    LINUX_VEOF,
    LINUX_VTIME,
    LINUX_VMIN,
    LINUX_VSWTC,
    LINUX_VSTART,
    LINUX_VSTOP,
    LINUX_VSUSP,
    LINUX_VEOL,
    LINUX_VREPRINT,
    LINUX_VDISCARD,
    LINUX_VWERASE,
    LINUX_VLNEXT,
    LINUX_VEOL2
};

/* asm/signal.h, asm-generic/siginfo.h */
#define LINUX_SIGNALS 64u
#define SIGNAL_BIT(signal) (1ull << ((signal)-1)) /* of a set */
#define LINUX_SIGINT 2u
#define LINUX_SIGQUIT 3u
#define LINUX_SIGILL 4u
#define LINUX_SIGTRAP 5u
#define LINUX_SIGABRT 6u
#define LINUX_SIGBUS 7u
#define LINUX_SIGFPE 8u
#define LINUX_SIGKILL 9u
#define LINUX_SIGSEGV 11u
#define LINUX_SIGPIPE 13u
#define LINUX_SIGALRM 14u
#define LINUX_SIGCHLD 17u
#define LINUX_SIGCONT 18u
#define LINUX_SIGSTOP 19u
#define LINUX_SIGTSTP 20u
#define LINUX_SIGTTIN 21u
#define LINUX_SIGTTOU 22u
#define LINUX_SIGURG 23u
#define LINUX_SIGWINCH 28u
#define LINUX_SIGSYS 31u
#define LINUX_SIGRTMIN 32u
#define LINUX_SA_NOCLDWAIT 2ull
#define LINUX_SA_ONSTACK 0x08000000ull
#define LINUX_SA_RESTART 0x10000000ull
#define LINUX_SA_NODEFER 0x40000000ull
#define LINUX_SA_RESETHAND 0x80000000ull
#define LINUX_SA_RESTORER 0x04000000ull
struct linux_sigaction {
    uint64_t handler, flags, restorer, mask;
};
struct linux_sigaltstack {
    uint64_t stack;
    uint32_t flags, pad;
    uint64_t size;
};
_Static_assert(sizeof(struct linux_sigaltstack) == 24, "stack_t");
#define LINUX_SS_ONSTACK 1u
#define LINUX_SS_DISABLE 2u
#define LINUX_SS_AUTODISARM 0x80000000u
struct linux_siginfo {
    int32_t signal, error, code, pad;
    union {
        struct {
            int32_t process;
            uint32_t user;
            uint64_t value;
        };
        uint64_t address; /* of a fault */
        uint8_t rest[112];
    };
};
_Static_assert(sizeof(struct linux_siginfo) == 128, "siginfo_t");
#define LINUX_SI_USER 0
#define LINUX_SI_KERNEL 0x80
#define LINUX_SI_TKILL (-6)
#define LINUX_CLD_EXITED 1
#define LINUX_CLD_KILLED 2
#define LINUX_CLD_STOPPED 5
#define LINUX_CLD_CONTINUED 6

/* linux/socket.h, linux/net.h, asm-generic/socket.h */
#define LINUX_AF_INET 2u
#define LINUX_SOCK_STREAM 1u
#define LINUX_SOCK_DGRAM 2u
#define LINUX_SOCK_RAW 3u
#define LINUX_SOCK_TYPE 0xFu /* above it: O_NONBLOCK, O_CLOEXEC */
#define LINUX_MSG_OOB 1u
#define LINUX_MSG_PEEK 2u
#define LINUX_MSG_TRUNC 0x20u
#define LINUX_MSG_DONTWAIT 0x40u
#define LINUX_MSG_WAITALL 0x100u
#define LINUX_MSG_ERRQUEUE 0x2000u
#define LINUX_MSG_NOSIGNAL 0x4000u
struct linux_msghdr {
    uint64_t name;
    int32_t name_bytes;
    uint32_t pad;
    uint64_t pieces, piece_count, control, control_bytes;
    uint32_t flags, pad2;
};
_Static_assert(sizeof(struct linux_msghdr) == 56, "struct user_msghdr");
struct linux_mmsghdr {
    struct linux_msghdr header;
    uint32_t bytes, pad;
};
