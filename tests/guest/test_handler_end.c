// SPDX-License-Identifier: MIT
/* test_handler_end.c - faults that nobody answers, or no longer: what becomes of the process that faulted. */
#include "tests/guest/patient.h"

/* ---- no answer ---- */

static void check_unhandled(struct patient *patient)
{
    struct mnos_process_info info = child_wait(&patient->child);

    CHECK_EQ(info.state, MNOS_PROCESS_DEAD);
    CHECK_EQ(info.exit_reason, MNOS_EXIT_FAULT);
    CHECK_EQ(VECTOR_OF(info.exit_code), VECTOR_PAGE_FAULT);
    CHECK_EQ(ERROR_OF(info.exit_code), 4);
}

TEST(handler, a_dropped_reply_or_another_label_ends_the_process)
{
    struct patient patient;
    struct mnos_fault fault;
    struct message msg;

    for (uint32_t label = 0; label < 2; label++) {
        if (patient_start(&patient, read_from, ARENA, 0) &&
            fault_comes(&patient, &msg, &fault, VECTOR_PAGE_FAULT)) {
            CHECK_OK(answer(&msg, label, NULL));
            check_unhandled(&patient);
        }
        patient_drop(&patient);
    }
    if (patient_start(&patient, read_from, ARENA, 0) &&
        fault_comes(&patient, &msg, &fault, VECTOR_PAGE_FAULT)) {
        struct raw_registers regs = {.rdi = msg.reply_id, .rsi = MNOS_INFO_DROP};

        CHECK_EQ(raw_call(MNOS_SYS_ipc_reply, &regs), MNOS_OK);
        check_unhandled(&patient);
    }
    patient_drop(&patient);
}

TEST(handler, an_endpoint_that_is_revoked_before_or_during_the_fault)
{
    struct patient patient;

    for (unsigned during = 0; during < 2; during++) {
        patient = (struct patient){.endpoint = endpoint_new()};
        patient.minted = cap_mint(patient.endpoint, CHILD_BADGE, 0);
        if (child_create_watched(&patient.child, patient.minted)) {
            if (during == 0)
                CHECK_OK(sys_cap_revoke(patient.endpoint));
            if (child_start(&patient.child, read_from, ARENA, 0, 0, 0)) {
                if (during != 0) {
                    thread_reaches(patient.child.thread, MNOS_STATE_FAULTED);
                    CHECK_OK(sys_cap_revoke(patient.endpoint));
                }
                check_unhandled(&patient);
            }
        }
        patient_drop(&patient);
    }
}

struct doctor {
    mnos_cap_t endpoint;
    struct message msg;
    mnos_status_t status;
};

static void take_one_and_die(void *argument)
{
    struct doctor *doctor = argument;

    doctor->status = ipc_receive(doctor->endpoint, &doctor->msg, soon());
}

TEST(handler, one_that_dies_with_the_fault_in_its_hands)
{
    struct patient patient;
    struct doctor doctor = {0};
    struct thread thread;

    if (patient_start(&patient, read_from, ARENA, 0)) {
        doctor.endpoint = patient.endpoint;
        helper_start(&thread, take_one_and_die, &doctor);
        helper_finish(&thread);
        CHECK_OK(doctor.status);
        check_unhandled(&patient);
    }
    patient_drop(&patient);
}

static uint64_t handle_one_fault(uint64_t endpoint, uint64_t forward, uint64_t, uint64_t)
{
    struct message msg = {0};

    if (ipc_receive(endpoint, &msg, MNOS_DEADLINE_NEVER) != MNOS_OK || msg.kind != MNOS_KIND_FAULT)
        return 1;
    if (forward != 0)
        (void)read_from(forward, 0, 0, 0); /* which the handler's handler maps */
    message_put(&msg, MNOS_FAULT_KILL, NULL, 0);
    return ipc_reply(&msg);
}

TEST(handler, one_that_faults_itself)
{
    mnos_cap_t inner = endpoint_new(), memory = memory_new(1), given;
    struct patient outer = {.endpoint = endpoint_new()};
    struct mnos_fault fault;
    struct message msg;
    struct child child;

    outer.minted = cap_mint(outer.endpoint, CHILD_BADGE, 0);
    if (child_create_watched(&child, inner) && child_create_watched(&outer.child, outer.minted)) {
        given = child_give(&outer.child, inner, MNOS_RIGHT_READ);
        if (child_start(&outer.child, handle_one_fault, given, ARENA, 0, 0) &&
            child_start(&child, read_from, ARENA, 0, 0, 0) &&
            fault_comes(&outer, &msg, &fault, VECTOR_PAGE_FAULT)) {
            CHECK_EQ(thread_info(child.thread).state, MNOS_STATE_FAULTED);
            CHECK_EQ(thread_info(child.thread).waits_for, cap_info(outer.child.thread).id);
            CHECK_OK(sys_mem_map(outer.child.process, memory, ARENA, 0, 1, MAP_RW));
            CHECK_OK(answer(&msg, MNOS_FAULT_RESUME, NULL));
            CHECK_EQ(child_result(&outer.child), 0);
            thread_reaches(child.thread, MNOS_STATE_DEAD);
            CHECK_EQ(process_info(child.process).state, MNOS_PROCESS_ALIVE);
        }
    }
    patient_drop(&outer);
    child_drop(&child);
    CHECK_OK(sys_cap_revoke(inner));
    cap_drop(inner);
    cap_drop(memory);
}

/* ---- killing, stopping ---- */

TEST(handler, killing_the_thread_leaves_the_process)
{
    struct patient patient;
    struct mnos_fault fault;
    struct message msg;

    if (patient_start(&patient, read_from, ARENA, 0) &&
        fault_comes(&patient, &msg, &fault, VECTOR_PAGE_FAULT)) {
        CHECK_OK(answer(&msg, MNOS_FAULT_KILL, NULL));
        thread_reaches(patient.child.thread, MNOS_STATE_DEAD);
        CHECK_EQ(process_info(patient.child.process).state, MNOS_PROCESS_ALIVE);
        (void)!sys_thread_destroy(patient.child.thread); /* it may not have been buried yet */
        CHECK_FAILS(sys_thread_destroy(patient.child.thread), MNOS_ERR_STATE, 1, 0);
    }
    patient_drop(&patient);
}

TEST(handler, destroying_a_faulted_thread_or_its_process)
{
    struct patient patient;
    struct mnos_fault fault;
    struct message msg;

    for (unsigned taken = 0; taken < 2; taken++) {
        if (patient_start(&patient, read_from, ARENA, 0)) {
            thread_reaches(patient.child.thread, MNOS_STATE_FAULTED);
            if (taken != 0)
                fault_comes(&patient, &msg, &fault, VECTOR_PAGE_FAULT);
            CHECK_OK(sys_thread_destroy(patient.child.thread));
            CHECK_EQ(process_info(patient.child.process).state, MNOS_PROCESS_ALIVE);
            if (taken != 0)
                CHECK_STATUS(answer(&msg, MNOS_FAULT_RESUME, NULL), MNOS_ERR_REPLY);
        }
        patient_drop(&patient);
        if (patient_start(&patient, read_from, ARENA, 0))
            thread_reaches(patient.child.thread, MNOS_STATE_FAULTED);
        patient_drop(&patient);
    }
}

TEST(handler, a_suspended_patient_goes_on_when_both_say_so)
{
    uint64_t now;
    struct patient patient;
    struct mnos_fault fault;
    struct message msg;

    if (patient_start(&patient, provoke, VECTOR_BREAKPOINT, 0) &&
        fault_comes(&patient, &msg, &fault, VECTOR_BREAKPOINT)) {
        CHECK_OK(sys_thread_block(patient.child.thread, 0, &now));
        CHECK_EQ(thread_info(patient.child.thread).state, MNOS_STATE_FAULTED);
        CHECK_OK(answer(&msg, MNOS_FAULT_RESUME, NULL));
        CHECK_EQ(thread_info(patient.child.thread).state, MNOS_STATE_SUSPENDED);
        CHECK_OK(sys_thread_wake(patient.child.thread));
        CHECK_EQ(child_result(&patient.child), 55);
    }
    patient_drop(&patient);
}

TEST(handler, one_that_waited_and_dies_with_the_fault_in_its_hands)
{
    struct patient patient;
    struct doctor doctor = {0};
    struct thread thread;

    if (patient_create(&patient)) {
        doctor.endpoint = patient.endpoint;
        helper_start(&thread, take_one_and_die, &doctor);
        thread_reaches(thread.thread, MNOS_STATE_RECEIVING);
        CHECK(child_start(&patient.child, read_from, ARENA, 0, 0, 0));
        helper_finish(&thread);
        CHECK_OK(doctor.status);
        check_unhandled(&patient);
    }
    patient_drop(&patient);
}
