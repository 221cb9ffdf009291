/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The mailbox delivers each message once, in the order of its sender; runs a bounded number at a
 * time; refuses when full, and takes again once there is room; several threads may post at once; a
 * message may post another.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <pthread.h>

#include "eal.h"
#include "mail.h"

#define SENDERS 3
#define EACH 20000
#define LANE ((struct rill_lane *)(uintptr_t)0x40) /* only handed through */

static struct mailbox *mailbox;
static uintptr_t seen[MAIL_SIZE * 2];
static unsigned int seen_count;

static void
note(struct rill_lane *lane, void *arg)
{
	assert_ptr_equal(lane, LANE);
	seen[seen_count++] = (uintptr_t)arg;
}

static int
fresh_mailbox(void **state)
{
	mailbox = mailbox_create("test_mail", -1);
	seen_count = 0;
	return mailbox == NULL;
}

static int
drop_mailbox(void **state)
{
	mailbox_destroy(mailbox);
	return 0;
}

static void
test_runs_in_order_and_in_bounded_bites(void **state)
{
	assert_true(mailbox_is_empty(mailbox));
	assert_int_equal(mailbox_run(mailbox, LANE), 0);
	for (uintptr_t i = 0; i < MAIL_PER_TURN + 7; i++)
		assert_int_equal(mailbox_post(mailbox, note, (void *)i), 0);
	assert_false(mailbox_is_empty(mailbox));
	assert_int_equal(mailbox_run(mailbox, LANE), MAIL_PER_TURN);
	assert_int_equal(seen_count, MAIL_PER_TURN);
	assert_int_equal(mailbox_run(mailbox, LANE), 7);
	assert_true(mailbox_is_empty(mailbox));
	for (uintptr_t i = 0; i < MAIL_PER_TURN + 7; i++)
		assert_int_equal(seen[i], i);
}

static void
test_refuses_when_full_and_loses_nothing(void **state)
{
	unsigned int taken = 0;

	while (mailbox_post(mailbox, note, (void *)(uintptr_t)taken) == 0)
		taken++;
	assert_int_equal(mailbox_post(mailbox, note, NULL), -EAGAIN);
	assert_true(taken >= MAIL_SIZE - 1 && taken <= MAIL_SIZE);
	assert_int_equal(mailbox_run(mailbox, LANE), MAIL_PER_TURN);
	assert_int_equal(mailbox_post(mailbox, note, (void *)(uintptr_t)taken), 0);
	while (mailbox_run(mailbox, LANE) > 0)
		;
	assert_int_equal(seen_count, taken + 1);
	for (unsigned int i = 0; i <= taken; i++)
		assert_int_equal(seen[i], i);
}

static void
post_again(struct rill_lane *lane, void *arg)
{
	note(lane, arg);
	assert_int_equal(mailbox_post(mailbox, note, (void *)(uintptr_t)2), 0);
}

static void
test_a_message_may_post_another_for_the_next_run(void **state)
{
	assert_int_equal(mailbox_post(mailbox, post_again, (void *)(uintptr_t)1), 0);
	assert_int_equal(mailbox_run(mailbox, LANE), 1);
	assert_int_equal(seen_count, 1);
	assert_int_equal(mailbox_run(mailbox, LANE), 1);
	assert_int_equal(seen[1], 2);
}

static uint32_t next_of[SENDERS];
static bool in_order = true;

static void
check_sender(struct rill_lane *lane, void *arg)
{
	uintptr_t sender = (uintptr_t)arg >> 32;

	in_order = in_order && (uint32_t)(uintptr_t)arg == next_of[sender]++;
}

static void *
sender_main(void *arg)
{
	for (uintptr_t i = 0; i < EACH; i++)
		while (mailbox_post(mailbox, check_sender, (void *)((uintptr_t)arg << 32 | i)) != 0)
			sched_yield();
	return NULL;
}

static void
test_many_threads_post_at_once(void **state)
{
	pthread_t threads[SENDERS];
	unsigned int ran = 0;

	for (uintptr_t i = 0; i < SENDERS; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, sender_main, (void *)i), 0);
	while (ran < SENDERS * EACH) {
		unsigned int n = mailbox_run(mailbox, LANE);

		ran += n;
		if (n == 0)
			sched_yield();
	}
	for (unsigned int i = 0; i < SENDERS; i++) {
		pthread_join(threads[i], NULL);
		assert_int_equal(next_of[i], EACH);
	}
	assert_true(in_order);
	assert_true(mailbox_is_empty(mailbox));
}

int
main(void)
{
	static const char *const args[] = {"--no-huge", "--no-pci", "--no-shconf", "--no-telemetry",
		"--iova-mode=va", "-m128", "--log-level=*:warning"};
	const struct eal_setup setup = {.args = args, .args_count = sizeof(args) / sizeof(args[0])};
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
			test_runs_in_order_and_in_bounded_bites, fresh_mailbox, drop_mailbox),
		cmocka_unit_test_setup_teardown(
			test_refuses_when_full_and_loses_nothing, fresh_mailbox, drop_mailbox),
		cmocka_unit_test_setup_teardown(
			test_a_message_may_post_another_for_the_next_run, fresh_mailbox, drop_mailbox),
		cmocka_unit_test_setup_teardown(test_many_threads_post_at_once, fresh_mailbox, drop_mailbox),
	};

	if (eal_start(&setup) != 0)
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
