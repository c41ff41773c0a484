// SPDX-License-Identifier: MIT
/* call_list.h - calls.def as CALL(number, name, count of arguments), for whoever defines that. Included more than once. */
#define CALL0(number, name, ...) CALL(number, name, 0)
#define CALL1(number, name, ...) CALL(number, name, 1)
#define CALL2(number, name, ...) CALL(number, name, 2)
#define CALL3(number, name, ...) CALL(number, name, 3)
#define CALL4(number, name, ...) CALL(number, name, 4)
#define CALL5(number, name, ...) CALL(number, name, 5)
#define CALL6(number, name, ...) CALL(number, name, 6)
#include "personality/linux/calls.def"
#undef CALL0
#undef CALL1
#undef CALL2
#undef CALL3
#undef CALL4
#undef CALL5
#undef CALL6
