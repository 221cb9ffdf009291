/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * rill_check of whole configurations: what a tired operator is told of a port without offloads, without
 * RSS, with one queue, of too few buffers, of EAL without hugepages. What is wrong is told in the very
 * sentence with which rill_stack_create refuses. Neither device nor memory is left behind.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <rte_ethdev.h>
#include <rte_mempool.h>

#include "fake_root.h"

static const char *const eal_args[] = {"--no-huge", "--no-pci", "--no-shconf", "--no-telemetry",
	"--iova-mode=va", "-m192", "--log-level=*:critical", "--lcores=0@0"};

static void
good_config(struct rill_config *config, const char *port)
{
	rill_config_default(config);
	config->ports_count = 1;
	config->ports[0].name = port;
	config->limits.max_conns = 16;
	config->limits.buffers = 4096;
	config->idle_sleep_us = 100; /* however few cores there are */
	config->eal_args = eal_args;
	config->eal_args_count = sizeof(eal_args) / sizeof(eal_args[0]);
}

static void
count_pool(struct rte_mempool *pool, void *arg)
{
	(*(unsigned int *)arg)++;
}

static int
look(const struct rill_config *config)
{
	unsigned int pools = 0;
	int err;

	fake_findings_count = 0;
	err = rill_check(config, fake_tell, NULL);
	assert_int_equal(rte_eth_dev_count_avail(), 0);
	rte_mempool_walk(count_pool, &pools);
	assert_int_equal(pools, 0);
	return err;
}

/* It is wrong, and starting says so too. */
static void
expect_refused(const struct rill_config *config, int err, const char *words)
{
	char sentence[1024];
	struct rill_stack *stack;

	assert_int_equal(look(config), err);
	snprintf(sentence, sizeof(sentence), "%s", rill_error());
	if (strstr(sentence, words) == NULL)
		fail_msg("\"%s\" is not in: %s", words, sentence);
	assert_int_equal(rill_stack_create(config, &stack), err);
	assert_string_equal(rill_error(), sentence);
	fake_expect(RILL_CHECK_WRONG, words, NULL, NULL);
}

static void
test_a_port_without_offloads_and_rss(void **state)
{
	static struct rill_config config;

	good_config(&config, "net_null0");
	assert_int_equal(look(&config), 0);
	fake_expect(RILL_CHECK_MISSING, "machine: hugepages", "EAL was told to do without", "--no-huge");
	fake_expect(RILL_CHECK_OK, "machine: IOVA mode", "virtual", NULL);
	fake_expect(RILL_CHECK_SOFTWARE, "net_null0: checksums in", NULL, NULL);
	fake_expect(RILL_CHECK_SOFTWARE, "net_null0: chained buffers out", NULL, NULL);
	fake_expect(RILL_CHECK_OK, "net_null0: lanes: one", "carried by the first", "key of 0 bytes");
	fake_expect(RILL_CHECK_OK, "net_null0: buffers: 4096", "2176", NULL);
	fake_expect(RILL_CHECK_OK, "net_null0: link", NULL, NULL);
	fake_expect(RILL_CHECK_OK, "isolated cores", NULL, NULL);

	config.lanes = 2;
	assert_int_equal(look(&config), 0);
	fake_expect(RILL_CHECK_SOFTWARE, "net_null0: lanes: 2 lanes, spread by lane 0", "key of 0 bytes",
		"virtual functions");
}

static void
test_too_few_buffers(void **state)
{
	static struct rill_config config;

	good_config(&config, "net_ring0");
	config.limits.buffers = 1024;
	expect_refused(&config, -EINVAL, "limits.buffers: 1024 are too few");
	/* The port is told of all the same. */
	fake_expect(RILL_CHECK_SOFTWARE, "net_ring0: TCP checksums out", NULL, NULL);
}

static void
test_what_is_not_there(void **state)
{
	static struct rill_config config;

	good_config(&config, "net_rnig0");
	expect_refused(&config, -ENODEV, "net_rnig0");
	good_config(&config, "0000:ff:1f.7");
	expect_refused(&config, -ENODEV, "there is no PCI device 0000:ff:1f.7");
	good_config(&config, "net_ring0");
	config.lanes = 17;
	expect_refused(&config, -EINVAL, "lanes: 17");
}

static void
test_words_of_the_statuses(void **state)
{
	static const char *const names[] = {"ok", "software", "missing", "wrong", "unknown"};

	for (int i = 0; i <= RILL_CHECK_STATUS_COUNT; i++)
		assert_string_equal(rill_check_status_name((enum rill_check_status)i), names[i]);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_port_without_offloads_and_rss),
		cmocka_unit_test(test_too_few_buffers),
		cmocka_unit_test(test_what_is_not_there),
		cmocka_unit_test(test_words_of_the_statuses),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
