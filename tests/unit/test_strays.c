/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A server of three lanes on a NIC with a queue for each (DPDK's ring device, with the RSS of a NIC
 * put in front of it), and a client of one lane on a NIC of one queue; the test is the wire, and
 * the server's NIC, which puts what arrives on the queues as each test wants:
 *
 *     client ── wire ──┬─ queue 0 ── lane 0
 *                      ├─ queue 1 ── lane 1     server
 *                      └─ queue 2 ── lane 2
 *
 * As it agreed to, each lane gets its own and nothing is handed over. Or otherwise: all connections
 * work, those that the server opens too, the strays are counted, and no buffer is missing in the
 * end. A NIC that does not agree gets its first lane as carrier. Segments that arrive in fragments
 * are put together where these arrive, and handed to the lane whose they are. All in both families.
 */
#include "cut.h"
#include "ring_stacks.h"
#include "strays_nic.h"

#define CONNS 60
#define BYTES 20000
#define MANY 1000
#define PORT 7
#define PASSES_MAX 200000
#define SERVER4 "192.0.2.1"
#define SERVER6 "2001:db8::1"
#define CLIENT4 "192.0.2.2"
#define CLIENT6 "2001:db8::2"

/* ---- the wire, and who is at its ends */

static struct rte_ring *rx_rings[LANES + 1], *tx_rings[LANES + 1]; /* the client's is the last */
static struct rill_stack *server, *client;
static ustime now;
static bool is_ip6; /* connections are over IPv6 */

/* What the applications see. */
static unsigned int opened, closed, accepted[LANES];
static uint64_t echoed;
static uint32_t length; /* of what each sends */

/* Data of a fragment on the wire towards the server; 0: frames cross it whole. */
static uint32_t wire_fragment;

/* Without ports a NIC does not know whose a fragment is. */
static void
arrive_in_parts(struct rte_mbuf *frame)
{
	struct rte_mbuf *parts[CUT_PARTS_MAX];
	unsigned int n = cut_frame(frame, wire_fragment, server->runners[0].pools.rx, parts);

	for (unsigned int i = 0; i < n; i++)
		assert_int_equal(rte_ring_enqueue(rx_rings[0], parts[i]), 0);
}

/* A turn of each lane (but for those of the mask), and what they sent arrives. Are there frames? */
static bool
pass(unsigned int stuck)
{
	struct rte_mbuf *frame;
	bool any = false;

	now += 100;
	for (unsigned int i = 0; i < LANES; i++)
		if (!(stuck >> i & 1))
			any |= runner_turn(&server->runners[i], now, true);
	any |= runner_turn(&client->runners[0], now, true);
	for (unsigned int i = 0; i < LANES; i++)
		while (rte_ring_dequeue(tx_rings[i], (void **)&frame) == 0)
			arrive(frame, &client->runners[0], rx_rings[LANES]);
	while (rte_ring_dequeue(tx_rings[LANES], (void **)&frame) == 0) {
		unsigned int queue = server->groups[0].strays == NULL ? 0 : nic_queue(frame);

		if (wire_fragment > 0 && cut_is_needed(frame, wire_fragment))
			arrive_in_parts(frame);
		else
			arrive(frame, &server->runners[queue], rx_rings[queue]);
	}
	return any;
}

static struct rill_stack *
make_stack(const char *name, const char *ip4, const char *ip6, unsigned int lanes)
{
	struct rill_config config;

	config_init(&config, name, ip4, ip6, lanes);
	config.limits.max_conns = 1024;
	return stack_of(&config);
}

static int
begin(void **state)
{
	is_ip6 = *state != NULL;
	memset(&nic, 0, sizeof(nic));
	nic.claims = true;
	wire_fragment = 0;
	length = BYTES;
	memset(accepted, 0, sizeof(accepted));
	opened = closed = 0;
	echoed = 0;
	for (unsigned int i = 0; i <= LANES; i++) {
		char name[] = {'r', (char)('0' + i), 0};

		rx_rings[i] = make_ring(name);
		name[0] = 't';
		tx_rings[i] = make_ring(name);
	}
	nic.id = (uint16_t)rte_eth_from_rings("server", rx_rings, LANES, tx_rings, LANES, 0);
	rte_eth_from_rings("client", &rx_rings[LANES], 1, &tx_rings[LANES], 1, 0);
	return 0;
}

static void
start(void)
{
	server = make_stack("net_ring_server", SERVER4 "/24", SERVER6 "/64", LANES);
	client = make_stack("net_ring_client", CLIENT4 "/24", CLIENT6 "/64", 1);
	now = clock_now_us();
}

static void
expect_whole(const struct rill_stack *stack)
{
	for (unsigned int i = 0; i < stack->lanes; i++) {
		struct rill_stats stats;

		rill_lane_stats_read(stack->runners[i].lane, &stats);
		if (stats.mbufs != 0)
			fail_msg("lane %u: %u buffers are missing", i, stats.mbufs);
	}
}

static int
end(void **state)
{
	for (int i = 0; i < 3000; i++) /* TIME-WAIT, and the last loans come back */
		pass(0);
	if (server->groups[0].strays != NULL)
		strays_drain(server->groups[0].strays);
	else
		spreader_drain(server->groups[0].spreader);
	expect_whole(server);
	expect_whole(client);
	rill_stack_destroy(server);
	rill_stack_destroy(client);
	for (unsigned int i = 0; i <= LANES; i++) {
		rte_ring_free(rx_rings[i]);
		rte_ring_free(tx_rings[i]);
	}
	return 0;
}

/* ---- the applications */

static void
on_open(struct rill_conn *conn)
{
	static const uint8_t bytes[BYTES];

	opened++;
	assert_int_equal(rill_write(conn, bytes, length), length);
}

static void
on_data(struct rill_conn *conn, struct rte_mbuf *data)
{
	uint64_t before = (uintptr_t)rill_conn_user(conn), after = before + data->pkt_len;

	echoed += data->pkt_len;
	rte_pktmbuf_free(data);
	rill_conn_set_user(conn, (void *)(uintptr_t)after);
	if (after == length)
		rill_close(conn);
}

static void
on_close(struct rill_conn *conn, enum rill_close_reason why)
{
	closed++;
}

static void
serve_open(struct rill_conn *conn)
{
	accepted[rill_lane_index(rill_conn_lane(conn))]++;
}

static void
serve_close(struct rill_conn *conn, enum rill_close_reason why)
{
}

static const struct rill_handler asks = {
	.on_open = on_open, .on_data = on_data, .on_close = on_close};
static const struct rill_handler serves = {
	.on_open = serve_open, .on_data = serve_data, .on_eof = serve_eof, .on_close = serve_close};

static void
listen_on(struct rill_stack *stack)
{
	struct rill_listener *listener;

	if (rill_listen(stack, NULL, PORT, NULL, &serves, NULL, &listener) != 0)
		fail_msg("%s", rill_error());
}

static void
connect_from(struct rill_lane *lane, const char *addr, unsigned int conns)
{
	struct rill_endpoint remote = {.port = PORT};
	struct rill_conn *conn;

	assert_int_equal(rill_addr_parse(addr, &remote.addr), 0);
	for (unsigned int i = 0; i < conns; i++)
		assert_int_equal(rill_connect(lane, NULL, &remote, NULL, &asks, NULL, &conn), 0);
}

/* All that were begun send their bytes there and back. */
static void
expect_echo(unsigned int conns)
{
	for (int i = 0; closed < conns && i < PASSES_MAX; i++)
		pass(0);
	assert_int_equal(opened, conns);
	assert_int_equal(closed, conns);
	assert_int_equal(echoed, (uint64_t)conns * length);
	opened = closed = 0;
	echoed = 0;
}

static void
connect_both_ways(void)
{
	listen_on(server);
	listen_on(client);
	connect_from(client->runners[0].lane, is_ip6 ? SERVER6 : SERVER4, CONNS);
	expect_echo(CONNS);
	for (unsigned int i = 0; i < LANES; i++)
		assert_true(accepted[i] > 0);
	for (unsigned int i = 0; i < LANES; i++)
		connect_from(server->runners[i].lane, is_ip6 ? CLIENT6 : CLIENT4,
			CONNS / LANES);
	expect_echo(CONNS);
}

static const struct counters *
counters_of(unsigned int lane)
{
	return &server->runners[lane].lane->counters;
}

/* Of the whole server. */
static struct rill_stats
stats(void)
{
	struct rill_stats all;

	rill_stats_read(server, &all);
	return all;
}

static void
expect_spread(const char *words)
{
	if (strcmp(rill_stack_spread(server, 0), words) != 0)
		fail_msg("\"%s\" is not: %s", rill_stack_spread(server, 0), words);
	assert_string_equal(rill_stack_spread(client, 0), "");
	assert_null(rill_stack_spread(server, 1));
}

/* ---- the tests */

/* After the first of each queue only SYNs are compared. */
static void
test_a_nic_that_keeps_its_word_spreads_alone(void **state)
{
	start();
	expect_spread("3 lanes, spread by the NIC");
	connect_both_ways();
	assert_int_equal(stats().rss_strayed, 0);
	assert_int_equal(stats().frames_handed, 0);
	assert_int_equal(stats().conns_reset, 0);
	for (unsigned int i = 0; i < LANES; i++) {
		assert_true(counters_of(i)->rss_agreed >= STRAYS_COMPARED);
		assert_true(counters_of(i)->rss_agreed < counters_of(i)->segs_in / 2);
	}
}

static void
test_connections_work_whatever_the_queue(void **state)
{
	start();
	nic.choice = CHOICE_FIRST;
	connect_both_ways();
	assert_true(counters_of(0)->rss_strayed > CONNS);
	assert_int_equal(counters_of(0)->rss_strayed, stats().frames_handed);
	assert_int_equal(counters_of(1)->rss_strayed + counters_of(2)->rss_strayed, 0);
	assert_int_equal(stats().conns_reset, 0);
	nic.choice = CHOICE_NEXT;
	connect_from(client->runners[0].lane, is_ip6 ? SERVER6 : SERVER4, CONNS);
	expect_echo(CONNS);
	for (unsigned int i = 0; i < LANES; i++)
		assert_true(counters_of(i)->rss_strayed > 0);
	assert_int_equal(stats().conns_reset, 0);
	assert_int_equal(stats().drops[RILL_DROP_tcp_no_listener], 0);
}

/* The first segments were where they belong; the SYN of a connection that is not is seen. */
static void
test_a_nic_that_changes_its_mind_is_found_out(void **state)
{
	start();
	connect_both_ways();
	assert_int_equal(stats().rss_strayed, 0);
	nic.choice = CHOICE_NEXT_LATER;
	memset(nic.seen, 0, sizeof(nic.seen));
	connect_from(client->runners[0].lane, is_ip6 ? SERVER6 : SERVER4, CONNS);
	expect_echo(CONNS);
	assert_true(stats().rss_strayed > CONNS);
	assert_int_equal(stats().conns_reset, 0);
	assert_int_equal(stats().drops[RILL_DROP_tcp_no_listener], 0);
}

/* A lane that does not turn loses what is beyond the bound, and nothing of the others'. */
static void
test_who_is_behind_holds_nobody_up(void **state)
{
	start();
	nic.choice = CHOICE_FIRST;
	length = 1;
	listen_on(server);
	connect_from(client->runners[0].lane, is_ip6 ? SERVER6 : SERVER4, MANY);
	for (int i = 0; i < 20000; i++)
		pass(1u << 1);
	assert_true(accepted[0] > 0 && accepted[2] > 0);
	assert_true(counters_of(0)->drops[RILL_DROP_spread_full] > 0);
	assert_int_equal(server->runners[0].port.lent, SPREAD_LOANS);
	expect_echo(MANY);
}

/* Under connections that are in the middle of something. It has lost key and table. */
static void
restart_nic(void)
{
	connect_from(client->runners[0].lane, is_ip6 ? SERVER6 : SERVER4, CONNS);
	for (int i = 0; opened < CONNS && i < PASSES_MAX; i++)
		pass(0);
	memset(nic.key, 0, sizeof(nic.key));
	memset(nic.reta, 0, sizeof(nic.reta));
	keeper_begin(server, now);
	server->groups[0].upkeep.reset = true;
	keeper_look(server, now);
	keeper_end(server);
	assert_int_equal(stats().port_restarts, 1);
	expect_echo(CONNS);
	assert_int_equal(stats().conns_reset, 0);
}

static void
test_a_nic_that_is_restarted_spreads_as_before(void **state)
{
	uint64_t agreed;

	start();
	connect_both_ways();
	agreed = stats().rss_agreed;
	restart_nic();
	assert_int_equal(stats().rss_strayed, 0);
	assert_true(stats().rss_agreed >= agreed + 3 * STRAYS_COMPARED);
}

static void
test_a_nic_that_agrees_no_more_after_a_restart_is_found_out(void **state)
{
	start();
	connect_both_ways();
	nic.forgets = true;
	restart_nic();
	assert_true(stats().rss_strayed > CONNS);
	assert_int_equal(stats().drops[RILL_DROP_tcp_no_listener], 0);
}

static void
test_a_nic_that_does_not_agree_has_a_carrier(void **state)
{
	nic.hides_key = true;
	start();
	assert_null(server->groups[0].strays);
	assert_non_null(strstr(rill_stack_spread(server, 0), "3 lanes, spread by lane 0 (port"));
	assert_non_null(strstr(rill_stack_spread(server, 0), "does not tell the key"));
	connect_both_ways();
	assert_int_equal(stats().rss_agreed + stats().rss_strayed, 0);
	assert_true(stats().frames_handed > 0);
}

/* No agreement to begin with: each segment is compared, from the first. */
static void
test_queues_that_others_fill_are_sorted(void **state)
{
	nic.claims = false;
	nic.driver = "net_memif";
	start();
	assert_non_null(server->groups[0].strays);
	assert_non_null(strstr(rill_stack_spread(server, 0), "3 lanes, each with a queue that others fill"));
	assert_non_null(strstr(rill_stack_spread(server, 0), "offers no RSS"));
	/* As chance may have it, first each is where it belongs, then none. */
	memcpy(nic.key, server->groups[0].steer.key, sizeof(nic.key));
	for (unsigned int i = 0; i < 128; i++)
		nic.reta[i] = (uint16_t)steer_lane_of_hash(&server->groups[0].steer, i);
	connect_both_ways();
	assert_int_equal(stats().rss_strayed, 0);
	assert_int_equal(stats().rss_agreed, stats().segs_in);
	nic.choice = CHOICE_NEXT;
	connect_from(client->runners[0].lane, is_ip6 ? SERVER6 : SERVER4, CONNS);
	expect_echo(CONNS);
	assert_true(stats().rss_strayed > CONNS);
	assert_int_equal(stats().conns_reset, 0);
}

static void
test_a_device_without_rss_has_a_carrier(void **state)
{
	nic.claims = false;
	start();
	assert_non_null(strstr(rill_stack_spread(server, 0), "offers no RSS"));
	connect_both_ways();
	assert_true(stats().frames_handed > 0);
}

/* Connections of all lanes, all of whose long segments arrive in fragments on the first queue. */
static void
expect_fragments_find_their_lanes(void)
{
	wire_fragment = 552;
	connect_both_ways();
	assert_true(stats().fragments_joined > 2 * CONNS * BYTES / 1500);
	assert_int_equal(counters_of(0)->fragments_joined, stats().fragments_joined);
	assert_true(stats().frames_handed > stats().fragments_joined / 3);
	assert_int_equal(stats().conns_reset, 0);
	/* But for what TCP had twice, and the client's reports of its groups, which are for routers. */
	for (unsigned int i = 0; i < RILL_DROP_COUNT; i++)
		if (stats().drops[i] != 0 && i != RILL_DROP_tcp_duplicate &&
			i != RILL_DROP_ether_not_ours)
			fail_msg("%s: %lu", rill_drop_name(i), stats().drops[i]);
}

static void
test_fragments_on_a_nic_with_queues(void **state)
{
	start();
	expect_fragments_find_their_lanes();
	assert_int_equal(stats().rss_strayed, 0); /* for which each segment would be compared */
}

static void
test_fragments_at_a_carrier(void **state)
{
	nic.claims = false;
	start();
	expect_fragments_find_their_lanes();
}

int
main(void)
{
	static const char *const args[] = {"--no-huge", "--no-pci", "--no-shconf", "--no-telemetry",
		"--iova-mode=va", "-m512", "--log-level=*:critical"};
	const struct eal_setup eal = {.args = args, .args_count = sizeof(args) / sizeof(args[0])};
#define ROW(test)                                                                                  \
	{#test, test, begin, end, NULL}, {#test "_over_ip6", test, begin, end, &is_ip6}
	const struct CMUnitTest tests[] = {
		ROW(test_a_nic_that_keeps_its_word_spreads_alone),
		ROW(test_connections_work_whatever_the_queue),
		ROW(test_a_nic_that_changes_its_mind_is_found_out),
		ROW(test_who_is_behind_holds_nobody_up),
		ROW(test_a_nic_that_is_restarted_spreads_as_before),
		ROW(test_a_nic_that_agrees_no_more_after_a_restart_is_found_out),
		ROW(test_a_nic_that_does_not_agree_has_a_carrier),
		ROW(test_queues_that_others_fill_are_sorted),
		ROW(test_a_device_without_rss_has_a_carrier),
		ROW(test_fragments_on_a_nic_with_queues),
		ROW(test_fragments_at_a_carrier),
	};

	return eal_start(&eal) != 0 ? 1 : cmocka_run_group_tests(tests, NULL, NULL);
}
