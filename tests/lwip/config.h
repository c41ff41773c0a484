// SPDX-License-Identifier: MIT
/* config.h - lwIP's tests include a file of this name, which their own build makes; they use nothing of it. */
#pragma once
