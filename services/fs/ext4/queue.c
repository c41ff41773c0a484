// SPDX-License-Identifier: MIT
/* queue - see queue.h. */
#include "services/fs/ext4/queue.h"

void disk_queue_init(struct queue *queue, const struct queue_port *port,
                     struct queue_request *waiting, uint32_t size)
{
    *queue = (struct queue){.port = *port, .waiting = waiting, .size = size};
}

bool disk_queue_has_room(const struct queue *queue)
{
    return queue->count == 0 && queue->outstanding < QUEUE_OUTSTANDING_MAX;
}

static bool submit(struct queue *queue, const struct queue_request *request)
{
    if (!queue->port.submit(queue->port.context, request))
        return false;
    queue->outstanding++;
    queue->submitted = true;
    return true;
}

void disk_queue_add(struct queue *queue, const struct queue_request *request)
{
    if (queue->count == 0 && submit(queue, request))
        return;
    queue->waiting[(queue->first + queue->count) % queue->size] = *request;
    queue->count++;
}

void disk_queue_done(struct queue *queue)
{
    queue->outstanding--;
}

void disk_queue_push(struct queue *queue)
{
    while (queue->count != 0 && submit(queue, &queue->waiting[queue->first])) {
        queue->first = (queue->first + 1) % queue->size;
        queue->count--;
    }
    if (queue->submitted)
        queue->port.bell(queue->port.context);
    queue->submitted = false;
}
