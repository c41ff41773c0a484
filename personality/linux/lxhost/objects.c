// SPDX-License-Identifier: MIT
/*
 * objects - what several processes hold together: ends of pipes, and offsets of files that were inherited. See host.h.
 *
 * Who holds an object is noted for each process, by lxhost alone; with the last holder it goes. A pipe's state is here
 * and in no page that a process can write to, so what one of them does to it are reads and writes.
 *
 * B1  An end of a pipe is an object; its pipe is there as long as one of its ends is held.
 * B2  0 <= count <= PIPE_BYTES, and the bytes of a pipe are those at `first` and behind it.
 */
#include "personality/linux/lxhost/host.h"

#include "lib/base/string.h"

#define PIPE_PAGES 16u
#define PIPE_BYTES (PIPE_PAGES * MNOS_PAGE_BYTES)
#define PIPES_MAX (OBJECTS_MAX / 2)

enum object_kind { OBJECT_NONE, OBJECT_OFFSET, OBJECT_READ, OBJECT_WRITE };

struct pipe {
    struct memory_block memory;
    uint64_t first, count;
    bool is_used;
    uint32_t read, write; /* its ends; OBJECTS_MAX: nobody holds that one any more */
};

static struct object {
    enum object_kind kind;
    uint64_t offset;
    struct pipe *pipe;
} objects[OBJECTS_MAX];
static struct pipe pipes[PIPES_MAX];

/* ---- Holding ---- */

static bool make(struct process *process, enum object_kind kind, uint64_t *number)
{
    for (uint32_t i = 0; i < OBJECTS_MAX; i++) {
        if (objects[i].kind != OBJECT_NONE)
            continue;
        objects[i] = (struct object){.kind = kind};
        process->holds[i / 64] |= 1ull << i % 64;
        *number = i;
        return true;
    }
    return false;
}

/* Who waits for the object looks again. */
static void tell_waiters(uint32_t object)
{
    uint64_t bit = 1ull << object % 64;

    if (object >= OBJECTS_MAX)
        return;
    EACH_PROCESS(process)
    {
        if ((process->waits[object / 64] & bit) == 0)
            continue;
        process->waits[object / 64] &= ~bit;
        process_tell(process, LXHOST_EVENT_LOOK);
    }
}

static void end_of_pipe_gone(struct pipe *pipe, uint32_t object)
{
    if (pipe->read == object)
        pipe->read = OBJECTS_MAX;
    if (pipe->write == object)
        pipe->write = OBJECTS_MAX;
    tell_waiters(pipe->read);
    tell_waiters(pipe->write);
    if (pipe->read != OBJECTS_MAX || pipe->write != OBJECTS_MAX)
        return;
    memory_free(&pipe->memory);
    *pipe = (struct pipe){0};
}

static bool is_held(uint32_t object)
{
    EACH_PROCESS(at)
    {
        if (object_held(at, object))
            return true;
    }
    return false;
}

static void drop(struct process *process, uint32_t object)
{
    process->holds[object / 64] &= ~(1ull << object % 64);
    process->waits[object / 64] &= ~(1ull << object % 64);
    if (is_held(object))
        return;
    if (objects[object].pipe != NULL)
        end_of_pipe_gone(objects[object].pipe, object);
    objects[object] = (struct object){0};
}

void objects_inherit(struct process *process, const struct process *parent)
{
    memcpy(process->holds, parent->holds, sizeof process->holds);
}

void objects_drop_all(struct process *process)
{
    for (uint32_t i = 0; i < OBJECTS_MAX; i++) {
        if (object_held(process, i))
            drop(process, i);
    }
}

mnos_status_t object_drop(struct process *process, uint64_t object)
{
    if (!object_held(process, object))
        return MNOS_ERR_FILE;
    drop(process, (uint32_t)object);
    return MNOS_OK;
}

/* NULL: the process holds no such object. */
static struct object *held(const struct process *process, uint64_t object, enum object_kind kind)
{
    return object_held(process, object) && objects[object].kind == kind ? &objects[object] : NULL;
}

/* ---- Offsets ---- */

mnos_status_t object_offset(struct process *process, const struct lxhost_offset *first,
                            struct lxhost_object *made)
{
    if (!make(process, OBJECT_OFFSET, &made->object))
        return MNOS_ERR_QUOTA;
    objects[made->object].offset = first->offset;
    return MNOS_OK;
}

mnos_status_t object_seek(struct process *process, const struct lxhost_seek *wanted,
                          struct lxhost_offset *before)
{
    struct object *object = held(process, wanted->object, OBJECT_OFFSET);

    if (object == NULL)
        return MNOS_ERR_FILE;
    before->offset = object->offset;
    if ((wanted->flags & LXHOST_SEEK_SET) != 0)
        object->offset = wanted->offset;
    return MNOS_OK;
}

/* ---- Pipes ---- */

static struct pipe *free_pipe(void)
{
    for (uint32_t i = 0; i < PIPES_MAX; i++) {
        if (!pipes[i].is_used)
            return &pipes[i];
    }
    return NULL;
}

mnos_status_t object_pipe(struct process *process, struct lxhost_pipe *made)
{
    struct pipe *pipe = free_pipe();
    mnos_status_t status;

    if (pipe == NULL || !make(process, OBJECT_READ, &made->read))
        return MNOS_ERR_QUOTA;
    if (!make(process, OBJECT_WRITE, &made->write)) {
        drop(process, (uint32_t)made->read);
        return MNOS_ERR_QUOTA;
    }
    status = memory_allocate(PIPE_PAGES, &pipe->memory);
    if (status != MNOS_OK) {
        drop(process, (uint32_t)made->read);
        drop(process, (uint32_t)made->write);
        return status;
    }
    pipe->is_used = true;
    pipe->read = (uint32_t)made->read;
    pipe->write = (uint32_t)made->write;
    objects[made->read].pipe = objects[made->write].pipe = pipe;
    return MNOS_OK;
}

static void wait_for(struct process *process, uint64_t object)
{
    process->waits[object / 64] |= 1ull << object % 64;
}

/* `count` bytes of the ring from `at` on are copied, in two pieces where it begins anew. */
static void take(const struct pipe *pipe, uint8_t *to, uint64_t count)
{
    const uint8_t *bytes = pipe->memory.address;
    uint64_t part = PIPE_BYTES - pipe->first < count ? PIPE_BYTES - pipe->first : count;

    memcpy(to, bytes + pipe->first, part);
    memcpy(to + part, bytes, count - part);
}

static void put(const struct pipe *pipe, const uint8_t *from, uint64_t count)
{
    uint8_t *bytes = pipe->memory.address;
    uint64_t at = (pipe->first + pipe->count) % PIPE_BYTES;
    uint64_t part = PIPE_BYTES - at < count ? PIPE_BYTES - at : count;

    memcpy(bytes + at, from, part);
    memcpy(bytes, from + part, count - part);
}

mnos_status_t pipe_read(struct process *process, const struct lxhost_io *wanted,
                        struct lxhost_count *done)
{
    const struct object *object = held(process, wanted->object, OBJECT_READ);
    uint64_t count = lxhost_window_part(wanted->count);
    struct pipe *pipe;

    if (object == NULL)
        return MNOS_ERR_FILE;
    pipe = object->pipe;
    if (count > pipe->count)
        count = pipe->count;
    if (count == 0 && wanted->count != 0 && pipe->write != OBJECTS_MAX) {
        wait_for(process, wanted->object);
        return MNOS_ERR_AGAIN;
    }
    take(pipe, process->native.window.address, count);
    pipe->first = (pipe->first + count) % PIPE_BYTES;
    pipe->count -= count;
    if (count != 0)
        tell_waiters(pipe->write);
    done->count = count;
    return MNOS_OK;
}

mnos_status_t pipe_write(struct process *process, const struct lxhost_io *wanted,
                         struct lxhost_count *done)
{
    const struct object *object = held(process, wanted->object, OBJECT_WRITE);
    uint64_t count = lxhost_window_part(wanted->count), room;
    struct pipe *pipe;

    if (object == NULL)
        return MNOS_ERR_FILE;
    pipe = object->pipe;
    if (pipe->read == OBJECTS_MAX)
        return MNOS_ERR_PEER;
    room = PIPE_BYTES - pipe->count;
    if (room == 0 || (count <= LXHOST_PIPE_ATOMIC && count > room)) {
        wait_for(process, wanted->object);
        return MNOS_ERR_AGAIN;
    }
    if (count > room)
        count = room;
    put(pipe, process->native.window.address, count);
    pipe->count += count;
    tell_waiters(pipe->read);
    done->count = count;
    return MNOS_OK;
}

mnos_status_t pipe_state(struct process *process, uint64_t object, struct lxhost_state *state)
{
    const struct pipe *pipe;

    if (!object_held(process, object) || objects[object].pipe == NULL)
        return MNOS_ERR_FILE;
    pipe = objects[object].pipe;
    *state = (struct lxhost_state){.bytes = pipe->count};
    if (objects[object].kind == OBJECT_READ) {
        state->ready = (pipe->count != 0 ? LXHOST_READY_READ : 0) |
                       (pipe->write == OBJECTS_MAX ? LXHOST_READY_END : 0);
    } else {
        state->ready = (PIPE_BYTES - pipe->count >= LXHOST_PIPE_ATOMIC ? LXHOST_READY_WRITE : 0) |
                       (pipe->read == OBJECTS_MAX ? LXHOST_READY_END : 0);
    }
    if (state->ready == 0)
        wait_for(process, object);
    return MNOS_OK;
}
