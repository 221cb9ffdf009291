/* SPDX-License-Identifier: BSD-3-Clause */
#include "counters.h"

#include <rte_mbuf.h>

static const char *const names[] = {
#define X(name, text) #name,
	RILL_DROP_LIST(X)
#undef X
};

static const char *const texts[] = {
#define X(name, text) text,
	RILL_DROP_LIST(X)
#undef X
};

const char *
rill_drop_name(enum rill_drop reason)
{
	return reason < RILL_DROP_COUNT ? names[reason] : NULL;
}

const char *
rill_drop_text(enum rill_drop reason)
{
	return reason < RILL_DROP_COUNT ? texts[reason] : NULL;
}

void
drop_packet(struct counters *counters, struct rte_mbuf *mbuf, enum rill_drop reason)
{
	count_drop(counters, reason);
	rte_pktmbuf_free(mbuf);
}
