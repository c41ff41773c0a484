// SPDX-License-Identifier: MIT
/* greeter.h - how to be greeted: by TCP, send a name and the end of the line; a greeting comes back, and the connection ends. */
#pragma once

#define GREETER_PORT 7000
#define GREETER_NAME_BYTES 64 /* at most, with the end of the line */
