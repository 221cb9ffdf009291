/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef RILL_RECOVERY_RTT_H
#define RILL_RECOVERY_RTT_H

/*
 * Round-trip time and retransmission timeout, in microseconds [6298].
 */

#include <stdbool.h>
#include <stdint.h>

#define RTO_MAX_US 60000000u           /* [6298 2.5] */
#define RTO_GRANULARITY_US 1000u       /* G: RTO is at least srtt + G [6298 2.3] */
#define RTO_AFTER_SYN_LOSS_US 3000000u /* [6298 5.7] */

struct rtt {
	uint32_t srtt_us; /* 0: no sample yet */
	uint32_t rttvar_us;
	union {
		uint32_t initial_us; /* RTO while there is no sample */
		uint32_t min_us;     /* the least sample, once there is one */
	};
};

/* RTO = initial, no sample [6298 2.1]. */
void rtt_init(struct rtt *rtt, uint32_t rto_initial_us);

/* A sample, of at least 1 µs: a sample of 0 counts as 1 [6298 2.2, 2.3]. */
void rtt_sample(struct rtt *rtt, uint32_t sample_us);

/*
 * The timeout after `backoff` expiries without a new sample: at least rto_min_us, doubled each
 * time, at most RTO_MAX_US [6298 2.4, 5.5].
 */
uint32_t rtt_rto(const struct rtt *rtt, uint32_t rto_min_us, unsigned int backoff);

/* The least round trip seen, 0: none yet. */
static inline uint32_t
rtt_min(const struct rtt *rtt)
{
	return rtt->srtt_us > 0 ? rtt->min_us : 0;
}

#endif
