/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Frames of the flow player, read by code that shares nothing with them: every field, every
 * checksum, for any flow, with and without options; and frames of a server, read by the player.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "../../perf/e2e/flow_frame.h"
#include "../peer/wire.h"

static const struct rte_ether_addr server_mac = {.addr_bytes = {2, 0, 0, 0, 0, 1}};
static struct flow_frames frames;
static uint8_t out[1600];

/* Writes, and reads as a stranger. */
static struct wire
written(uint32_t number, const struct flow_frame *frame)
{
	uint16_t len = flow_frame_write(&frames, out, number, frame);
	struct wire wire;
	const char *complaint;

	assert_memory_equal(out, &server_mac, sizeof(server_mac));
	complaint = wire_read(out + RTE_ETHER_HDR_LEN, len - RTE_ETHER_HDR_LEN, &wire);
	if (complaint != NULL)
		fail_msg("flow %u: %s", number, complaint);
	return wire;
}

static void
test_segments_are_well_formed(void **state)
{
	static const uint16_t sizes[] = {1, 64, 333, 1024, 1448};

	(void)state;
	for (unsigned int s = 0; s < sizeof(sizes) / sizeof(sizes[0]); s++) {
		flow_frames_init(&frames, &server_mac, true, sizes[s]);
		for (uint32_t i = 0; i < 2000; i++) {
			const struct flow_frame frame = {.seq = i * 2654435761u,
				.ack = i * 40503u,
				.tsval = i << 20,
				.tsecr = ~i,
				.flags = ACK | PSH,
				.payload_len = sizes[s]};
			struct wire wire = written(i * 499, &frame);

			assert_int_equal(wire.seq, frame.seq);
			assert_int_equal(wire.ack, frame.ack);
			assert_int_equal(wire.flags, frame.flags);
			assert_int_equal(wire.has, HAS_TS);
			assert_int_equal(wire.tsval, frame.tsval);
			assert_int_equal(wire.tsecr, frame.tsecr);
			assert_int_equal(wire.dport, FLOW_SERVER_PORT);
			assert_int_equal(wire.daddr, FLOW_SERVER_ADDR);
			assert_int_equal(wire.len, sizes[s]);
			assert_memory_equal(
				wire.data, frames.block[flow_block(frame.seq)], sizes[s]);
		}
	}
}

static void
test_a_syn_offers_what_clients_offer(void **state)
{
	const struct flow_frame frame = {.seq = 7, .flags = SYN, .tsval = 9};
	struct wire wire;

	(void)state;
	flow_frames_init(&frames, &server_mac, true, 64);
	wire = written(5, &frame);
	assert_int_equal(wire.has, HAS_MSS | HAS_WSCALE | HAS_SACK_OK | HAS_TS);
	assert_int_equal(wire.mss, 1460);
	flow_frames_init(&frames, &server_mac, false, 64);
	wire = written(5, &frame);
	assert_int_equal(wire.has, HAS_MSS | HAS_WSCALE | HAS_SACK_OK);
}

/* Every flow has an address and port of its own, and is found again by them. */
static void
test_the_server_s_frames_lead_back_to_the_flow(void **state)
{
	const struct flow_frame ack = {.flags = ACK};
	uint8_t data[64] = "echo", bytes[200];

	(void)state;
	flow_frames_init(&frames, &server_mac, true, 64);
	for (uint32_t number = 0; number < 10 * 1000 * 1000; number += 9973) {
		struct wire heard = written(number, &ack), said = {.saddr = heard.daddr,
								   .daddr = heard.saddr,
								   .sport = heard.dport,
								   .dport = heard.sport,
								   .seq = number,
								   .ack = 3,
								   .flags = ACK | PSH,
								   .has = HAS_TS,
								   .tsval = 4,
								   .tsecr = 5,
								   .wnd = 100,
								   .data = data,
								   .len = sizeof(data)};
		struct flow_frame frame;
		uint32_t found, len;

		memcpy(bytes, out, RTE_ETHER_HDR_LEN);
		len = RTE_ETHER_HDR_LEN + (uint32_t)wire_write(bytes + RTE_ETHER_HDR_LEN, &said);
		assert_int_equal(flow_frame_read(bytes, len, &found, &frame), FLOW_FRAME_TCP);
		assert_int_equal(found, number);
		assert_int_equal(frame.seq, number);
		assert_int_equal(frame.ack, 3);
		assert_int_equal(frame.tsval, 4);
		assert_int_equal(frame.payload_len, sizeof(data));
		assert_memory_equal(frame.payload, data, sizeof(data));
		assert_int_equal(
			flow_frame_read(bytes, len - 1, &found, &frame), FLOW_FRAME_FOREIGN);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_segments_are_well_formed),
		cmocka_unit_test(test_a_syn_offers_what_clients_offer),
		cmocka_unit_test(test_the_server_s_frames_lead_back_to_the_flow),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
