/* SPDX-License-Identifier: MIT */
/*
 * expand.h - the arguments of a line of abi/syscalls.def, each a pair (type, name), for whoever makes something of
 * them.
 *
 *   EACH_ARGUMENT(F, ...)      F(register, (type, name)) for each, one after the other
 *   ARGUMENT_TYPE pair         the type, and
 *   ARGUMENT_NAME pair         the name of one
 *   ARGUMENT_PARAMETERS(...)   the parameters of a function of just these: `type name, type name`, or `void`
 *
 * The registers are in the order of the convention: rdi, rsi, rdx, r10, r8, r9.
 */
#pragma once

#define ARGUMENT_TYPE(type, name) type
#define ARGUMENT_NAME(type, name) name

#define EACH_ARGUMENT(F, ...) EXPAND_COUNTED(EXPAND_EACH, __VA_ARGS__)(F __VA_OPT__(, ) __VA_ARGS__)
#define ARGUMENT_PARAMETERS(...) EXPAND_COUNTED(EXPAND_PARAMETERS, __VA_ARGS__)(__VA_ARGS__)

/* `which` with the number of the further arguments behind it. */
#define EXPAND_COUNTED(which, ...)                                                                 \
    EXPAND_SEVENTH(which __VA_OPT__(, ) __VA_ARGS__, 6, 5, 4, 3, 2, 1, 0)(which)
#define EXPAND_SEVENTH(...) EXPAND_PICK(__VA_ARGS__)
#define EXPAND_PICK(which, a, b, c, d, e, f, count, ...) EXPAND_NAME_##count
#define EXPAND_NAME_0(which) which##_0
#define EXPAND_NAME_1(which) which##_1
#define EXPAND_NAME_2(which) which##_2
#define EXPAND_NAME_3(which) which##_3
#define EXPAND_NAME_4(which) which##_4
#define EXPAND_NAME_5(which) which##_5
#define EXPAND_NAME_6(which) which##_6

#define EXPAND_EACH_0(F)
#define EXPAND_EACH_1(F, a) F(rdi, a)
#define EXPAND_EACH_2(F, a, b) EXPAND_EACH_1(F, a) F(rsi, b)
#define EXPAND_EACH_3(F, a, b, c) EXPAND_EACH_2(F, a, b) F(rdx, c)
#define EXPAND_EACH_4(F, a, b, c, d) EXPAND_EACH_3(F, a, b, c) F(r10, d)
#define EXPAND_EACH_5(F, a, b, c, d, e) EXPAND_EACH_4(F, a, b, c, d) F(r8, e)
#define EXPAND_EACH_6(F, a, b, c, d, e, f) EXPAND_EACH_5(F, a, b, c, d, e) F(r9, f)

#define EXPAND_PARAMETER(pair) ARGUMENT_TYPE pair ARGUMENT_NAME pair
#define EXPAND_PARAMETERS_0() void
#define EXPAND_PARAMETERS_1(a) EXPAND_PARAMETER(a)
#define EXPAND_PARAMETERS_2(a, b) EXPAND_PARAMETERS_1(a), EXPAND_PARAMETER(b)
#define EXPAND_PARAMETERS_3(a, b, c) EXPAND_PARAMETERS_2(a, b), EXPAND_PARAMETER(c)
#define EXPAND_PARAMETERS_4(a, b, c, d) EXPAND_PARAMETERS_3(a, b, c), EXPAND_PARAMETER(d)
#define EXPAND_PARAMETERS_5(a, b, c, d, e) EXPAND_PARAMETERS_4(a, b, c, d), EXPAND_PARAMETER(e)
#define EXPAND_PARAMETERS_6(a, b, c, d, e, f)                                                      \
    EXPAND_PARAMETERS_5(a, b, c, d, e), EXPAND_PARAMETER(f)
