// SPDX-License-Identifier: MIT
/* pieces - see pieces.h. */
#include "personality/linux/lx/pieces.h"

void pieces_one(struct pieces *pieces, uint64_t address, uint64_t bytes)
{
    *pieces = (struct pieces){.current = {address, bytes}, .bytes = bytes};
}

int64_t pieces_list(struct pieces *pieces, uint64_t list, uint64_t count)
{
    struct linux_iovec piece;

    *pieces = (struct pieces){.list = list, .left = count};
    if (count > LINUX_IOV_MAX)
        return -LX_EMSGSIZE;
    for (uint64_t i = 0; i < count; i++) {
        if (user_read(&piece, list + i * sizeof piece, sizeof piece) != 0)
            return -LX_EFAULT;
        if ((int64_t)piece.length < 0)
            return -LX_EINVAL;
        pieces->bytes += piece.length;
        if (pieces->bytes > LINUX_IO_MAX)
            pieces->bytes = LINUX_IO_MAX; /* as Linux cuts them */
    }
    return 0;
}

/* Goes on to the next piece that is not empty. */
static int64_t next(struct pieces *pieces)
{
    while (pieces->current.length == 0 && pieces->left != 0) {
        if (user_read(&pieces->current, pieces->list, sizeof pieces->current) != 0)
            return -LX_EFAULT;
        pieces->list += sizeof pieces->current;
        pieces->left--;
    }
    return 0;
}

static int64_t move(struct pieces *pieces, void *own, size_t bytes, bool out)
{
    size_t done = 0;

    if (bytes > pieces->bytes)
        bytes = pieces->bytes;
    while (done < bytes) {
        size_t part, moved;

        if (next(pieces) != 0 || pieces->current.length == 0)
            break;
        part = bytes - done < pieces->current.length ? bytes - done : pieces->current.length;
        moved = out ? user_write_some(pieces->current.base, (uint8_t *)own + done, part)
                    : user_read_some((uint8_t *)own + done, pieces->current.base, part);
        pieces->current.base += moved;
        pieces->current.length -= moved;
        pieces->bytes -= moved;
        done += moved;
        if (moved < part)
            break;
    }
    return done == 0 && bytes != 0 ? -LX_EFAULT : (int64_t)done;
}

int64_t pieces_write(struct pieces *pieces, const void *from, size_t bytes)
{
    return move(pieces, (void *)from, bytes, true);
}

int64_t pieces_read(struct pieces *pieces, void *to, size_t bytes)
{
    return move(pieces, to, bytes, false);
}
