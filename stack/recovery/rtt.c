/* SPDX-License-Identifier: BSD-3-Clause */
#include "rtt.h"

/* alpha = 1/8, beta = 1/4, K = 4 [6298 2.3] */
#define ALPHA_SHIFT 3
#define BETA_SHIFT 2
#define K 4u

/* (1 - 2^-shift) * old + 2^-shift * new, rounded to nearest: truncation would always lag below. */
static uint32_t
rtt_smooth(uint32_t old, uint32_t new, unsigned int shift)
{
	uint64_t sum = (((uint64_t)old << shift) - old) + new + (1u << (shift - 1));

	return (uint32_t)(sum >> shift);
}

void
rtt_init(struct rtt *rtt, uint32_t rto_initial_us)
{
	*rtt = (struct rtt){.initial_us = rto_initial_us};
}

void
rtt_sample(struct rtt *rtt, uint32_t sample_us)
{
	uint32_t sample = sample_us > 0 ? sample_us : 1;

	if (rtt->srtt_us == 0) { /* [6298 2.2] */
		rtt->srtt_us = sample;
		rtt->rttvar_us = sample / 2;
		rtt->min_us = sample;
	} else { /* rttvar first: it measures against the old srtt [6298 2.3] */
		uint32_t srtt = rtt->srtt_us;
		uint32_t error = srtt > sample ? srtt - sample : sample - srtt;

		rtt->rttvar_us = rtt_smooth(rtt->rttvar_us, error, BETA_SHIFT);
		rtt->srtt_us = rtt_smooth(srtt, sample, ALPHA_SHIFT);
		if (sample < rtt->min_us)
			rtt->min_us = sample;
	}
}

uint32_t
rtt_rto(const struct rtt *rtt, uint32_t rto_min_us, unsigned int backoff)
{
	uint64_t margin = (uint64_t)K * rtt->rttvar_us, rto;

	if (rtt->srtt_us == 0)
		rto = rtt->initial_us;
	else
		rto = rtt->srtt_us + (margin > RTO_GRANULARITY_US ? margin : RTO_GRANULARITY_US);
	if (rtt->srtt_us > 0 && rto < rto_min_us)
		rto = rto_min_us;
	if (rto > RTO_MAX_US || backoff >= 32 || rto << backoff > RTO_MAX_US)
		return RTO_MAX_US;
	return (uint32_t)(rto << backoff);
}
