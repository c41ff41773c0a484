# SPDX-License-Identifier: MIT
#
# settings.mk - refuses what is given on the command line and is no setting: `make run MEMROY=64` would do as if nothing had
# been said. Part of the Makefile, and the first: before packages are installed.

# What make itself says, and what it can be told: GNU make's manual, "Quick Reference".
of_make  := MAKEFLAGS MAKEFILES SHELL VPATH
# What the programs that make starts take from the environment, to which make adds what its command line says.
of_environment := DISPLAY WAYLAND_DISPLAY XAUTHORITY XDG_% TMPDIR HOME PATH TERM LANG LC_% CCACHE_% \
                  http_proxy https_proxy no_proxy
settings := $(shell sed -n 's/^\#: *\([A-Z_]*\)=.*/\1/p' Makefile)
no_such  := $(filter-out $(settings) $(of_make) $(of_environment), \
              $(foreach v,$(.VARIABLES),$(if $(filter command,$(origin $v)),$v)))
ifneq ($(no_such),)
$(error $(strip $(foreach v,$(sort $(no_such)),$v=$($v))): there is no such setting; `make help` lists them)
endif
