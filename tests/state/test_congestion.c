/* SPDX-License-Identifier: BSD-3-Clause */
/* Which congestion control a connection has, and what of it shows on the wire [5681, 6928, 9438]. */
#include "fixtures.h"

#include <errno.h>

#define MSS 1460

static struct peer_setup
setup_with(enum rill_option option, int32_t value)
{
	struct peer_setup setup = {.options = default_options()};

	((int32_t *)&setup.options)[option] = value;
	return setup;
}

static uint32_t
at(unsigned int segment)
{
	return 1 + segment * MSS;
}

/* A loss in the middle of a flight of 20 segments, found by a timeout: what is left of it. */
static uint32_t
ssthresh_after_timeout(void)
{
	writes(10 * MSS);
	check_equal(hears_all(), 10);
	advance(300);
	hears_all();
	return info().ssthresh;
}

static void
test_cubic_is_the_default(void **state)
{
	in_established();
	assert_string_equal(info().congestion_control, "cubic");
	check_equal(ssthresh_after_timeout(), 10 * MSS * 7 / 10); /* [RFC9438-1] */
	check_equal(info().cwnd, MSS);                            /* [RFC9438-9] */
}

static void
test_the_stack_chooses(void **state)
{
	struct peer_setup setup = setup_with(RILL_OPT_congestion_control, RILL_CC_NEWRENO);

	peer_restart(&setup);
	in_established();
	assert_string_equal(info().congestion_control, "newreno");
	check_equal(ssthresh_after_timeout(), 5 * MSS);
}

static void
test_a_listener_chooses(void **state)
{
	struct rill_options options = default_options();

	options.congestion_control = RILL_CC_NEWRENO;
	wait_for_iss(false);
	listens_with(&options);
	peer_sends(SYN, 0, 0);
	expect(SYN | ACK, 0, 1);
	peer_sends(ACK, 1, 1);
	assert_string_equal(info().congestion_control, "newreno");
	check_equal(ssthresh_after_timeout(), 5 * MSS);
}

static void
test_a_connection_chooses(void **state)
{
	struct rill_options options = default_options();

	options.congestion_control = RILL_CC_NONE;
	wait_for_iss(true);
	connects_with(&options);
	expect(SYN, 0, 0);
	peer_sends(SYN | ACK, 0, 1);
	expect(ACK, 1, 1);
	assert_string_equal(info().congestion_control, "none");
	writes(10 * MSS);
	check_equal(hears_all(), 10);
	advance(300);
	check_equal(info().cwnd, 10 * MSS); /* whatever happens */
}

static void
test_it_changes_at_work(void **state)
{
	in_established();
	writes(40 * MSS);
	check_equal(hears_all(), 10);
	peer_sends(ACK, 1, at(8));
	hears_all();
	check_equal(info().cwnd, 18 * MSS); /* all that was acknowledged [RFC9406-7] */
	sets(RILL_OPT_congestion_control, RILL_CC_NEWRENO);
	assert_string_equal(info().congestion_control, "newreno");
	check_equal(info().cwnd, 18 * MSS);
	peer_sends(ACK, 1, at(12));
	hears_all();
	check_equal(info().cwnd, 19 * MSS); /* a segment per ACK */
	advance(1500);
	check_equal(info().ssthresh, 19 * MSS / 2);
	sets(RILL_OPT_congestion_control, RILL_CC_CUBIC);
	check_equal(info().ssthresh, 19 * MSS / 2);
	check_equal(rill_set(app->conn, RILL_OPT_congestion_control, RILL_CC_COUNT), -EINVAL);
	assert_string_equal(info().congestion_control, "cubic");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		dialogue(test_cubic_is_the_default),
		dialogue(test_the_stack_chooses),
		dialogue(test_a_listener_chooses),
		dialogue(test_a_connection_chooses),
		dialogue(test_it_changes_at_work),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
