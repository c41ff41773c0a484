// SPDX-License-Identifier: MIT
/*
 * faults.h - by which fault a program has ended: its first one is kept with the program, for its client alone.
 *
 * The launcher is the fault handler of what it starts, and resumes nothing: the answer ends the process as if it had no
 * handler, and the kernel logs its line. When it is dead its stack is looked at, which is memory of the launcher's, for words
 * that can be return addresses. What is said of them is its client's affair, who can read the program's file.
 */
#pragma once

#include "lib/mnos/ipc.h"
#include "services/launcher/programs.h"

/* With a program's `order`; capabilities of clients have small badges. Only the kernel has one with this. */
#define FAULTS_BADGE (1ull << 61)

/* A message of kind MNOS_KIND_FAULT, which becomes the answer. */
void faults_take(struct programs *programs, struct message *message);
/* The process is dead, and its memory still there. */
void faults_look(struct program *program);
/* Nothing is known of it any more, and its memory is free. */
void faults_forget(struct program *program);
/* The answer to LAST_FAULT. */
mnos_status_t faults_answer(const struct program *program, struct message *reply);
