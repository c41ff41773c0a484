# SPDX-License-Identifier: MIT
#
# third_party.mk - files of others: fetched by name and hash, then kept outside of the repository
# (third_party/README.md). Part of the Makefile.

THIRD_PARTY := $(BUILD)/src/.fetched
$(THIRD_PARTY): third_party/deps.lock tools/deps.sh
	$(Q)tools/deps.sh $< $(@D) && : >$@
