/* SPDX-License-Identifier: BSD-3-Clause */
#include "cc.h"

#include <stddef.h>

#include "check.h"

/* IW = min(10 * MSS, max(2 * MSS, 14600)) [6928 2] */
#define INITIAL_WINDOW_BYTES 14600u

static const struct cc_ops *const algorithms[] = {
	&cc_newreno_ops,
	&cc_none_ops,
	&cc_cubic_ops,
};

const struct cc_ops *
cc_ops(unsigned int algorithm)
{
	return algorithm < sizeof(algorithms) / sizeof(algorithms[0]) ? algorithms[algorithm]
								      : NULL;
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
cc_after_idle(struct cc *cc, ustime now, ustime idle_us, uint32_t restart_window)
{
	const struct cc_ops *ops = cc_ops(cc->algorithm);

	if (ops->on_idle != NULL)
		ops->on_idle(cc, now, idle_us);
	if (restart_window > 0 && cc->cwnd > restart_window)
		cc->cwnd = restart_window;
}

void
cc_undo(struct cc *cc, const struct cc *before)
{
	uint32_t cwnd = cc->cwnd, ssthresh = cc->ssthresh;

	*cc = *before;
	if (cc->cwnd < cwnd)
		cc->cwnd = cwnd;
	if (cc->ssthresh < ssthresh)
		cc->ssthresh = ssthresh;
}
