/* SPDX-License-Identifier: BSD-3-Clause */
#include "rack.h"

#define WND_PERSIST 16 /* recoveries [8985 6.2, step 4] */
#define WND_MULT_MAX 255

void
rack_init(struct rack *rack, seq_t high)
{
	*rack = (struct rack){.high = high, .high_next = high, .wnd_mult = 1};
}

static bool
sent_after(uint32_t a_us, seq_t a_end, uint32_t b_us, seq_t b_end)
{
	return (int32_t)(a_us - b_us) > 0 || (a_us == b_us && seq_gt(a_end, b_end));
}

bool
rack_delivered(struct rack *rack, const struct rack_delivery *delivery, uint32_t min_rtt_us,
	uint32_t now_us)
{
	uint32_t rtt_us = now_us - delivery->sent_us;
	bool reordered = seq_lt(delivery->end, rack->high) && !delivery->retransmitted;

	rack->high_next = seq_max(rack->high_next, delivery->end);
	/* It may be an earlier transmission that was delivered [8985 6.2, step 2]. */
	if (delivery->retransmitted && (delivery->ambiguous || rtt_us < min_rtt_us))
		return false;
	if (!rack->delivered ||
		sent_after(delivery->sent_us, delivery->end, rack->sent_us, rack->end)) {
		rack->sent_us = delivery->sent_us;
		rack->end = delivery->end;
		rack->rtt_us = rtt_us;
		rack->delivered = true;
	}
	return reordered;
}

void
rack_ack_done(struct rack *rack)
{
	rack->high = rack->high_next;
}

void
rack_dsack(struct rack *rack, seq_t snd_una, seq_t snd_nxt)
{
	if (rack->dsack_counted && seq_lt(snd_una, rack->dsack_round))
		return; /* once in a round trip */
	rack->dsack_counted = true;
	rack->dsack_round = snd_nxt;
	if (rack->wnd_mult < WND_MULT_MAX)
		rack->wnd_mult++;
	rack->wnd_persist = WND_PERSIST;
}

void
rack_recovered(struct rack *rack)
{
	if (rack->wnd_persist > 0 && --rack->wnd_persist == 0)
		rack->wnd_mult = 1;
}

uint32_t
rack_window_us(
	const struct rack *rack, uint32_t min_rtt_us, uint32_t srtt_us, bool reorders, bool urgent)
{
	uint64_t window_us = (uint64_t)rack->wnd_mult * (min_rtt_us / 4);

	if (!reorders && urgent)
		return 0;
	return window_us < srtt_us ? (uint32_t)window_us : srtt_us;
}

bool
rack_is_earlier(const struct rack *rack, uint32_t sent_us, seq_t end)
{
	return rack->delivered && sent_after(rack->sent_us, rack->end, sent_us, end);
}

int32_t
rack_remaining_us(const struct rack *rack, uint32_t sent_us, uint32_t window_us, uint32_t now_us)
{
	return (int32_t)(sent_us + rack->rtt_us + window_us - now_us);
}
