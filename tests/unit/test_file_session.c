// SPDX-License-Identifier: MIT
/*
 * test_file_session - what the library makes of a lane whose service was stopped for a while: lib/client/file_session.c with a
 * service that keeps lanes as lib/server/lane.c does.
 */
#include <stdlib.h>
#include <string.h>

#include "tests/unit/unit.h"

/* Other tests have models of these, and the kernel functions of the same name. */
#define message_add_cap file_session_add_cap
#define message_cap file_session_message_cap
#define message_refuse_caps file_session_refuse_caps
#define message_get_part file_session_get_part
#define mutex_lock_taken file_session_lock_taken
#define mutex_tell file_session_tell

#include "lib/client/service.h"
#include "lib/mnos/ipc.h"
#include "lib/mnos/memory.h"
#include "lib/mnos/syscall.h"
#include "lib/server/session.h"

#define service_call file_session_call
#define message_put file_session_message_put
#define message_get file_session_message_get
#define ipc_buffer file_session_buffer
#define sys_cap_delete file_session_cap_delete
#define memory_map file_session_map
#define memory_unmap file_session_unmap

static mnos_status_t service_call(mnos_cap_t, struct message *msg);
static struct mnos_ipc_buffer *ipc_buffer(void);

#include "lib/client/file_walk.h"

static struct {
    struct server_lane lanes[LABEL_LANES];
    bool is_stopped;
    mnos_status_t answer; /* to what is carried out */
    unsigned carried_out, opened;
} model;
static struct mnos_ipc_buffer buffer;

void message_add_cap(struct message *, mnos_cap_t, mnos_rights_t)
{
}

mnos_cap_t message_cap(const struct message *, unsigned)
{
    return 0;
}

void message_refuse_caps(const struct message *)
{
}

/* No test has two threads. */
void mutex_lock_taken(struct mutex *)
{
    CHECK(false);
}

void mutex_tell(struct mutex *)
{
    CHECK(false);
}

static struct mnos_ipc_buffer *ipc_buffer(void)
{
    return &buffer;
}

static void message_put(struct message *msg, uint32_t label, const void *bytes, size_t length)
{
    msg->info = MNOS_INFO(label, length);
    memcpy(msg->words, bytes, length);
}

static size_t message_get(const struct message *msg, void *out, size_t size)
{
    memcpy(out, msg->words, size < sizeof msg->words ? size : sizeof msg->words);
    return size;
}

size_t message_get_part(const struct message *msg, void *out, size_t size)
{
    size_t length = msg->length < size ? msg->length : size;
    size_t in_registers = length < sizeof msg->words ? length : sizeof msg->words;

    memset(out, 0, size);
    memcpy(out, msg->words, in_registers);
    memcpy((uint8_t *)out + in_registers, buffer.data, length - in_registers);
    return length;
}

static mnos_status_t sys_cap_delete(mnos_cap_t)
{
    return MNOS_OK;
}

static mnos_status_t memory_map(mnos_cap_t, uint64_t, uint64_t, uint32_t, void **)
{
    CHECK(false); /* the service shares no memory */
    return MNOS_ERR_STATE;
}

static void memory_unmap(void *, uint64_t)
{
    CHECK(false);
}

/* The service, or while it is stopped who answers in its place. */
static mnos_status_t service_call(mnos_cap_t, struct message *msg)
{
    uint32_t label = msg->label;
    struct server_lane *lane = &model.lanes[label_lane(label)];
    uint64_t words[4] = {0}, stale;

    memset(msg->words, 0, sizeof msg->words);
    if (model.is_stopped)
        return MNOS_ERR_STOPPED;
    if (label_operation(label) == FILE_OPEN_SESSION) {
        memset(model.lanes, 0, sizeof model.lanes);
        model.opened++;
        return MNOS_OK;
    }
    if (lane_begin(lane, label_sequence(label), 1, &stale) != LANE_RUN)
        return MNOS_ERR_ARGUMENT;
    lane_done(lane, model.answer, words, 0);
    model.carried_out++;
    return model.answer;
}

#include "lib/client/file_session.c"

static struct file_session session;

static void begin_scene(void)
{
    memset(&model, 0, sizeof model);
    CHECK_EQ(file_session_open(&session, 1, 0), MNOS_OK);
}

static mnos_status_t request(void)
{
    struct file_call call;

    file_call_begin_once(&call, &session, FILE_MKDIR, NULL, 0);
    return file_call_send(&session, &call);
}

static mnos_status_t request_in_lane(uint32_t lane)
{
    mnos_status_t status;

    for (uint32_t i = 0; i < lane; i++)
        CHECK(mutex_try_lock(&session.lane_locks[i]));
    status = request();
    for (uint32_t i = 0; i < lane; i++)
        mutex_unlock(&session.lane_locks[i]);
    CHECK_EQ(session.lane_locks[lane].state, MUTEX_FREE);
    return status;
}

TEST(file_session, what_is_behind_a_stop_begins_the_session_anew)
{
    begin_scene();
    CHECK_EQ(request(), MNOS_OK);
    model.is_stopped = true;
    CHECK_EQ(request(), MNOS_ERR_STOPPED);
    CHECK_EQ(request(), MNOS_ERR_STOPPED);
    model.is_stopped = false;
    CHECK_EQ(request(), MNOS_ERR_LOST); /* its service knows neither of the two before */
    CHECK_EQ(model.opened, 2);
    CHECK_EQ(request(), MNOS_OK);
    CHECK_EQ(model.carried_out, 2);
}

TEST(file_session, an_argument_that_is_wrong_is_told_so_also_after_a_stop)
{
    begin_scene();
    model.is_stopped = true;
    CHECK_EQ(request_in_lane(3), MNOS_ERR_STOPPED);
    model.is_stopped = false;
    model.answer = MNOS_ERR_ARGUMENT;
    CHECK_EQ(request_in_lane(0), MNOS_ERR_ARGUMENT); /* a lane that nobody was stopped in */
    model.answer = MNOS_OK;
    CHECK_EQ(request_in_lane(3), MNOS_OK); /* the first that the service sees of its lane */
    model.answer = MNOS_ERR_ARGUMENT;
    CHECK_EQ(request_in_lane(3), MNOS_ERR_ARGUMENT);
    CHECK_EQ(model.opened, 1);
    CHECK_EQ(model.carried_out, 3);
}

TEST(file_session, nor_is_anything_unsure_in_a_session_that_has_begun_anew)
{
    begin_scene();
    CHECK_EQ(request_in_lane(2), MNOS_OK);
    model.is_stopped = true;
    CHECK_EQ(request_in_lane(1), MNOS_ERR_STOPPED);
    model.is_stopped = false;
    CHECK_EQ(file_session_replace(&session, 2), MNOS_OK);
    model.answer = MNOS_ERR_ARGUMENT;
    CHECK_EQ(request_in_lane(1), MNOS_ERR_ARGUMENT);
    CHECK_EQ(model.opened, 2);
    CHECK_EQ(model.carried_out, 2);
}

/* As the text of a link may be: the sanitizer sees what is written behind it. */
TEST(file_session, an_answer_of_any_size_fills_its_place_and_no_more)
{
    struct file_answer answer = {.words = {1, 2, 3, 4}};
    uint8_t bytes[48];

    memset(buffer.data, 0xEE, 16);
    memcpy(bytes, answer.words, sizeof answer.words);
    memset(bytes + sizeof answer.words, 0xEE, 16);
    for (uint32_t size = 1; size <= sizeof bytes; size++) {
        uint8_t *place = malloc(size);

        answer.length = size;
        file_take_answer(&answer, place, size);
        CHECK_EQ(memcmp(place, bytes, size), 0);
        free(place);
    }
}
