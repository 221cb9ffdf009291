/* SPDX-License-Identifier: BSD-3-Clause */
#include "facts.h"

unsigned int
facts_from_cxx(uint64_t *facts, unsigned int room)
{
	const uint64_t ours[] = {
#define X(fact) static_cast<uint64_t>(fact),
		FACTS(X)
#undef X
	};
	const unsigned int count = sizeof(ours) / sizeof(ours[0]);

	for (unsigned int i = 0; i < count && i < room; i++)
		facts[i] = ours[i];
	return count;
}

const char *
version_from_cxx(void)
{
	return rill_version();
}
