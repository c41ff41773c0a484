// SPDX-License-Identifier: MIT
/* registers.h - QEMU's device for teaching, as its docs/specs/edu.rst describes it. */
#pragma once

#define EDU_REGISTERS_BYTES 0x100000u

#define EDU_ID 0x00
#define EDU_ID_MASK 0x0000FFFFu /* above are numbers of its version */
#define EDU_ID_VALUE 0x000000EDu
#define EDU_COMPUTE 0x08 /* a number is written, its factorial is read */
#define EDU_STATUS 0x20
#define EDU_STATUS_INTERRUPT 0x80 /* when it has computed */
#define EDU_CAUSES 0x24           /* why it has interrupted */
#define EDU_CAUSES_CLEAR 0x64

#define EDU_CAUSE_COMPUTED 0x001u
#define EDU_CAUSE_COPIED 0x100u

/* It copies between memory and a buffer of its own, by itself. These have 64 bits. */
#define EDU_COPY_FROM 0x80
#define EDU_COPY_TO 0x88
#define EDU_COPY_BYTES 0x90
#define EDU_COPY_COMMAND 0x98
#define EDU_COPY_START 1
#define EDU_COPY_TO_MEMORY 2
#define EDU_COPY_INTERRUPT 4
#define EDU_BUFFER 0x40000 /* as the device calls its own buffer */
