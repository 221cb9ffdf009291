/* SPDX-License-Identifier: BSD-3-Clause */
#include "cc.h"

#include <stddef.h>
#include <string.h>

#include <rill/options.h>

#include "check.h"

/* IW = min(10 * MSS, max(2 * MSS, 14600)) [6928 2] */
#define INITIAL_WINDOW_BYTES 14600u

static const struct cc_ops *const algorithms[] = {
	[RILL_CC_CUBIC] = &cc_cubic_ops,
	[RILL_CC_NEWRENO] = &cc_newreno_ops,
	[RILL_CC_NONE] = &cc_none_ops,
	[RILL_CC_DCTCP] = &cc_dctcp_ops,
	[RILL_CC_BBR] = &cc_bbr_ops,
};
static_assert(sizeof(algorithms) / sizeof(algorithms[0]) == RILL_CC_COUNT, "one for each number");

const struct cc_ops *
cc_ops(unsigned int algorithm)
{
	return algorithm < RILL_CC_COUNT ? algorithms[algorithm] : NULL;
}

const char *
rill_cc_name(enum rill_cc algorithm)
{
	return (unsigned int)algorithm < RILL_CC_COUNT ? algorithms[algorithm]->name : NULL;
}

enum rill_cc
rill_cc_by_name(const char *name)
{
	for (unsigned int i = 0; i < RILL_CC_COUNT; i++)
		if (strcmp(algorithms[i]->name, name) == 0)
			return i;
	return RILL_CC_COUNT;
}

uint32_t
cc_initial_window(uint32_t mss, uint32_t segments)
{
	uint64_t most = 2ull * mss > INITIAL_WINDOW_BYTES ? 2ull * mss : INITIAL_WINDOW_BYTES;
	uint64_t wanted = (uint64_t)mss * segments;

	return (uint32_t)(wanted < most ? wanted : most);
}

void
cc_init(struct cc *cc, unsigned int algorithm, uint32_t mss, uint32_t initial_window)
{
	const struct cc_ops *ops = cc_ops(algorithm);

	RILL_ASSERT(ops != NULL);
	*cc = (struct cc){
		.cwnd = initial_window,
		.ssthresh = CC_SSTHRESH_MAX,
		.algorithm = (uint8_t)algorithm,
	};
	ops->init(cc, mss);
}

void
cc_change(struct cc *cc, unsigned int algorithm, uint32_t mss)
{
	uint32_t cwnd = cc->cwnd, ssthresh = cc->ssthresh;

	if (cc->algorithm == algorithm)
		return;
	cc_init(cc, algorithm, mss, cwnd);
	cc->ssthresh = ssthresh;
}

void
cc_after_idle(struct cc *cc, ustime now, ustime idle_us, uint32_t restart_window)
{
	const struct cc_ops *ops = cc_ops(cc->algorithm);

	if (ops->on_idle != NULL)
		ops->on_idle(cc, now, idle_us);
	if (restart_window > 0 && !ops->paces && cc->cwnd > restart_window)
		cc->cwnd = restart_window;
}

void
cc_undo(struct cc *cc, const struct cc *before)
{
	uint32_t cwnd = cc->cwnd, ssthresh = cc->ssthresh;

	if (cc->algorithm == before->algorithm && !cc_ops(cc->algorithm)->paces) {
		*cc = *before;
	} else { /* another one has been chosen meanwhile, or its memory is elsewhere */
		cc->cwnd = before->cwnd;
		cc->ssthresh = before->ssthresh;
	}
	if (cc->cwnd < cwnd)
		cc->cwnd = cwnd;
	if (cc->ssthresh < ssthresh)
		cc->ssthresh = ssthresh;
}
