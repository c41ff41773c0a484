// SPDX-License-Identifier: MIT
/* launch - see launch.h. */
#include "programs/monitor/launch.h"

#include "abi/inspect.h"
#include "abi/process.h"
#include "lib/base/string.h"
#include "lib/client/launcher.h"
#include "lib/client/manager.h"
#include "lib/client/stream.h"
#include "lib/mnos/heap.h"
#include "lib/mnos/bootstrap.h"
#include "lib/mnos/syscall.h"
#include "programs/monitor/console.h"
#include "programs/monitor/files.h"
#include "programs/monitor/program_fault.h"
#include "programs/monitor/seat.h"
#include "protocols/stream.h"

#define PRIORITY 15u
#define OBJECT_BYTES 131072u
#define STACK_PAGES 16u

/* What is started and has not been told to have ended. */
struct job {
    uint64_t number; /* 0: free */
    mnos_cap_t process;
    mnos_cap_t terminal; /* its session of this terminal; 0: none yet */
    mnos_cap_t seat;     /* at another terminal, where it has its session of; 0: it has none */
    unsigned number_of_seat;
    bool quiet, raw;
    bool front;     /* what is typed is its */
    uint32_t given; /* how many capabilities */
    char name[MNOS_NAME_BYTES];
    struct program_file *file; /* NULL: there was no memory for it */
    void (*look)(const char *name);
};

static struct job jobs[LAUNCHER_PROGRAMS_MAX];
static struct job *made; /* the one that is put together */
static const char *command_name;

static const char *base_of(const char *path)
{
    const char *base = path;

    for (; *path != 0; path++) {
        if (*path == '/')
            base = path + 1;
    }
    return base;
}

static struct job *free_job(void)
{
    for (unsigned i = 0; i < LAUNCHER_PROGRAMS_MAX; i++) {
        if (jobs[i].number == 0)
            return &jobs[i];
    }
    return NULL;
}

static void end_session(struct job *job)
{
    if (job->terminal != 0)
        console_take_front(job->terminal);
    if (job->seat != 0)
        seat_leave(job->seat);
    job->terminal = job->seat = 0;
}

static void forget(struct job *job)
{
    end_session(job);
    (void)!sys_cap_delete(job->process); /* it may have gone with the launcher */
    heap_free(job->file);
    *job = (struct job){0};
}

/* Whether it has ended. How is the launcher's to say, which may come to it later than the end does here: then it has not
 * yet. */
static bool has_ended(const struct job *job, struct manager_service *program,
                      struct mnos_process_info *info)
{
    mnos_status_t status = process_inspect(job->process, info);

    if (status == MNOS_OK && info->state != MNOS_PROCESS_DEAD)
        return false;
    if (launcher_find(job->number, program, NULL) == MNOS_OK)
        return program->state != MANAGER_RUNNING;
    *program = (struct manager_service){.last_end = "with the launcher, which has ended"};
    info->exit_reason = MNOS_EXIT_DESTROYED;
    return true;
}

/* ---- Other terminals ---- */

/* Of programs whose end cannot be told now: somebody else may have their terminals. */
static void end_seats(void)
{
    struct mnos_process_info info;
    struct manager_service program;

    for (unsigned i = 0; i < LAUNCHER_PROGRAMS_MAX; i++) {
        if (jobs[i].seat != 0 && has_ended(&jobs[i], &program, &info))
            end_session(&jobs[i]);
    }
}

/* Ctrl-C. Fails when it has ended by itself meanwhile. */
static void end_at_seat(mnos_cap_t seat)
{
    for (unsigned i = 0; i < LAUNCHER_PROGRAMS_MAX; i++) {
        if (jobs[i].number != 0 && jobs[i].seat == seat)
            (void)!sys_proc_destroy(jobs[i].process, 0);
    }
}

static bool take_seat(unsigned number)
{
    mnos_status_t status;

    end_seats();
    for (unsigned i = 0; i < LAUNCHER_PROGRAMS_MAX; i++) {
        if (jobs[i].seat == 0 || jobs[i].number_of_seat != number)
            continue;
        console_print("%s: terminal %u is that of %s until it ends\n", command_name, number,
                      jobs[i].name);
        return false;
    }
    console_look(); /* Ctrl-C that was for a program which has ended is not for this one */
    seat_on_interrupt(end_at_seat);
    status = seat_take(number, &made->seat);
    made->number_of_seat = number;
    if (status == MNOS_ERR_ARGUMENT)
        console_print("%s: there is no terminal %u for programs; the prompt of the screen has 3 "
                      "and 4\n",
                      command_name, number);
    else if (status == MNOS_ERR_QUOTA)
        console_print("%s: there is no memory for terminal %u\n", command_name, number);
    else if (status != MNOS_OK)
        console_error(status, "another terminal");
    return status == MNOS_OK;
}

/* ---- Putting together ---- */

static mnos_status_t export_path(const char *path, uint32_t rights, mnos_cap_t *session,
                                 struct file_attr *attr)
{
    struct file_session *files = &files_mounts()->root;
    struct file file;
    mnos_status_t status = file_stat(files, path, 0, attr);
    bool is_directory = status == MNOS_OK && attr->type == FILE_TYPE_DIRECTORY;

    /* Without the right to look up not even the file itself can be opened. */
    rights = (is_directory ? rights : rights & ~(uint32_t)FILE_CREATE_RIGHT) | FILE_LOOKUP;
    if (status == MNOS_OK)
        status =
            file_open(files, NULL, path, is_directory ? FILE_ONLY_DIRECTORY : 0, rights, &file);
    if (status != MNOS_OK)
        return status;
    status = file_export(&file, rights, session);
    (void)!file_close(&file); /* the session that was exported has its own */
    return status;
}

static void explain(mnos_status_t status, const char *path)
{
    switch (status) {
    case MNOS_ERR_NOT_FOUND:
        console_print("%s: this monitor has no capability \"launcher\"\n", command_name);
        break;
    case MNOS_ERR_AGAIN:
        console_print("%s: %u programs run already, and there may be no more\n", command_name,
                      LAUNCHER_PROGRAMS_MAX);
        break;
    case MNOS_ERR_QUOTA:
        console_print("%s: %s was not started: the launcher has not that much memory left for "
                      "programs, or it is too little for one\n",
                      command_name, path);
        break;
    case MNOS_ERR_SIZE:
        console_print("%s: the arguments are longer than %u bytes\n", command_name,
                      LAUNCHER_ARGUMENTS_MAX);
        break;
    default: files_failed(status, command_name, path); break;
    }
}

static bool open_program(const char *path, mnos_cap_t *session)
{
    struct file_attr attr;
    mnos_status_t status = export_path(path, FILE_READ_RIGHT, session, &attr);

    if (status != MNOS_OK)
        files_failed(status, command_name, path);
    else if (made->file != NULL)
        program_file_note(made->file, path, &attr);
    return status == MNOS_OK;
}

static bool start(const struct launch_plan *plan)
{
    struct launcher_plan launcher = {
        .start = {.frames = plan->frames,
                  .bytes = plan->bytes != 0 ? plan->bytes : OBJECT_BYTES,
                  .priority = PRIORITY,
                  .stack_pages = STACK_PAGES,
                  .flags = plan->flags},
        .arguments = plan->arguments,
        .argument_bytes = plan->argument_bytes,
        .endpoint = console_endpoint(),
        .badge = CONSOLE_BADGE_PROGRAMS,
        .events = CONSOLE_EVENT_PROGRAMS,
    };
    struct launcher_made answer = {0};
    mnos_status_t status;

    if (made->file == NULL) /* one that could not be started has left its own */
        made->file = heap_allocate(sizeof *made->file);
    if (plan->path != NULL && files_session(plan->command) == NULL)
        return false;
    if (plan->path != NULL && !open_program(plan->path, &launcher.file))
        return false;
    if (plan->path == NULL) {
        string_copy(launcher.start.file, plan->file, sizeof launcher.start.file);
        if (made->file != NULL)
            program_file_note_own(made->file, plan->file);
    }
    string_copy(launcher.start.name, plan->name != NULL ? plan->name : base_of(plan->path),
                sizeof launcher.start.name);
    status = launcher_start(&launcher, &answer, &made->process);
    if (launcher.file != 0)
        (void)!sys_cap_delete(launcher.file);
    if (status != MNOS_OK) {
        explain(status, plan->path != NULL ? plan->path : plan->file);
        return false;
    }
    made->number = answer.number;
    made->quiet = plan->quiet;
    made->raw = plan->raw;
    made->look = plan->look;
    string_copy(made->name, answer.name, sizeof made->name);
    return true;
}

bool launch_begin(const struct launch_plan *plan)
{
    command_name = plan->command;
    made = free_job();
    if (made == NULL) {
        explain(MNOS_ERR_AGAIN, "");
        return false;
    }
    if (plan->terminal != 0 && !take_seat(plan->terminal))
        return false;
    if (start(plan))
        return true;
    end_session(made);
    return false;
}

void launch_drop(void)
{
    (void)!launcher_kill(made->name); /* if it has gone already, so much the better */
    forget(made);
}

bool launch_give(const char *name, mnos_cap_t cap, mnos_rights_t rights)
{
    mnos_status_t status = launcher_give(made->number, made->given++, name, cap, rights);

    if (status == MNOS_OK)
        return true;
    console_error(status, name);
    launch_drop();
    return false;
}

bool launch_give_path(const char *name, const char *path, uint32_t rights, bool delegate)
{
    struct file_attr attr;
    mnos_cap_t session;
    mnos_status_t status = export_path(path, rights, &session, &attr);
    bool given;

    if (status != MNOS_OK) {
        files_failed(status, command_name, path);
        launch_drop();
        return false;
    }
    given = launch_give(name, session, MNOS_RIGHT_WRITE | (delegate ? MNOS_RIGHT_GRANT : 0));
    (void)!sys_cap_delete(session);
    return given;
}

/* ---- Waiting ---- */

/* One that says itself how it fares has said what there is to say when it ends by itself. */
static bool is_told(const struct job *job, const struct mnos_process_info *info)
{
    return job->quiet && info->exit_reason == MNOS_EXIT_SELF &&
           (info->exit_code & ~0xFFFFFFFFull) != LAUNCHER_NOT_LOADED;
}

/* Tells it, if there is something to tell; false: it has not ended. */
static bool tell_end(struct job *job)
{
    struct mnos_process_info info;
    struct manager_service program;

    if (!has_ended(job, &program, &info))
        return false;
    end_session(job);
    if (!is_told(job, &info))
        console_print("%s: ended, %.63s\n", job->name, program.last_end);
    if (info.exit_reason == MNOS_EXIT_FAULT)
        program_print_fault(job->number, job->name, job->file);
    forget(job);
    return true;
}

static void wait_for_end(struct job *job)
{
    while (!tell_end(job)) {
        end_seats();
        if (job->front && console_has_front()) {
            console_print("\n%s: goes on in the background; \"kill %s\" ends it\n", job->name,
                          job->name);
            job->front = job->quiet = false;
            return;
        }
        if (console_interrupted()) {
            console_print("^C\n");
            /* Fails when it has ended by itself meanwhile. */
            (void)!sys_proc_destroy(job->process, 0);
        } else {
            console_wait();
        }
        if (job->look != NULL)
            job->look(job->name);
    }
}

/* A session of the terminal: in front, where Ctrl-C is still this monitor's unless the program is to have all keys, or
 * behind, to write only. */
static bool give_terminal(bool front)
{
    uint32_t flags = !front ? STREAM_BEHIND : made->raw ? 0 : STREAM_INTERRUPTS;
    mnos_cap_t session = 0;
    bool given;
    mnos_status_t status = made->seat == 0 ? console_give_front(flags, &made->terminal)
                                           : stream_give_front(made->seat, flags, &session);

    if (status != MNOS_OK) {
        if (status == MNOS_ERR_QUOTA)
            console_print("%s: as many programs have the terminal as there can be\n", command_name);
        else
            console_error(status, "terminal");
        launch_drop();
        return false;
    }
    made->front = front && made->seat == 0;
    given = launch_give("terminal", session != 0 ? session : made->terminal, MNOS_RIGHT_WRITE);
    if (session != 0) /* the program's is the last one: with it its session ends */
        (void)!sys_cap_delete(session);
    return given;
}

void launch_go(enum launch_place place)
{
    bool elsewhere = made->seat != 0, background = elsewhere || place == LAUNCH_BACKGROUND;
    mnos_status_t status;

    if (!give_terminal(elsewhere || place == LAUNCH_FRONT))
        return;
    made->quiet = made->quiet && !background;
    status = launcher_run(made->number);
    if (status != MNOS_OK) {
        explain(status, made->name);
        forget(made);
    } else if (elsewhere) {
        console_print("%s: started on terminal %u (Alt-F%u)\n", made->name, made->number_of_seat,
                      made->number_of_seat);
    } else if (background) {
        console_print("%s: started\n", made->name);
    } else {
        wait_for_end(made);
    }
}

void launch_forget_ended(void)
{
    struct mnos_process_info info;
    struct manager_service program;

    for (unsigned i = 0; i < LAUNCHER_PROGRAMS_MAX; i++) {
        if (jobs[i].number != 0 && has_ended(&jobs[i], &program, &info))
            forget(&jobs[i]);
    }
}

bool launch_have_ended(void)
{
    struct mnos_process_info info;
    struct manager_service program;

    for (unsigned i = 0; i < LAUNCHER_PROGRAMS_MAX; i++) {
        if (jobs[i].number != 0 && has_ended(&jobs[i], &program, &info))
            return true;
    }
    return false;
}

void launch_print_ended(void)
{
    for (unsigned i = 0; i < LAUNCHER_PROGRAMS_MAX; i++) {
        if (jobs[i].number != 0)
            (void)tell_end(&jobs[i]);
    }
}
