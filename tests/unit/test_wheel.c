/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The timer wheel fires what a sorted list would: never early, never late, earlier ticks first,
 * over random runs with moves, cancels, bounded calls and jumps of up to days. What it costs is
 * bounded: a call moves WHEEL_MOVES_MAX nodes at most, and an empty stretch costs nothing.
 */
#include <stdlib.h>
#include <string.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "wheel.h"

#define TICK_US (1u << WHEEL_TICK_SHIFT)
#define START 1000000007ull

static uint64_t
ceil_tick(ustime deadline)
{
	return deadline / TICK_US + (deadline % TICK_US != 0);
}

static unsigned int
expire_one(struct wheel *wheel, ustime now, struct wheel_node **node)
{
	return wheel_expire(wheel, now, node, 1);
}

static void
test_fires_at_the_deadline_and_not_before(void **state)
{
	static const ustime delays[] = {1, 7, 8, 9, 511, 512, 513, 4096, 32768, 40000, 200000,
		1000000, 2097152, 60000000, 134217728, 7200000000ull, WHEEL_SPAN_US - TICK_US};

	for (size_t i = 0; i < sizeof(delays) / sizeof(delays[0]); i++) {
		ustime deadline = START + delays[i], fires = ceil_tick(deadline) * TICK_US;
		struct wheel_node node = {0}, *fired = NULL;
		struct wheel wheel;

		wheel_init(&wheel, START);
		assert_false(wheel_is_armed(&node));
		wheel_arm(&wheel, &node, deadline);
		assert_true(wheel_is_armed(&node));
		assert_true(wheel_deadline(&wheel, &node) == fires);
		assert_true(fires >= deadline && fires < deadline + TICK_US);
		assert_true(wheel_next(&wheel) <= fires);
		assert_ptr_equal(wheel_first(&wheel), &node);
		assert_int_equal(expire_one(&wheel, fires - 1, &fired), 0);
		assert_true(wheel_next(&wheel) == fires);
		assert_int_equal(expire_one(&wheel, fires, &fired), 1);
		assert_ptr_equal(fired, &node);
		assert_false(wheel_is_armed(&node));
		assert_true(wheel_next(&wheel) == USTIME_NEVER);
		assert_null(wheel_first(&wheel));
		assert_int_equal(wheel.armed, 0);
	}
}

static void
test_a_passed_deadline_fires_in_the_next_call(void **state)
{
	struct wheel_node node = {0}, *fired;
	struct wheel wheel;

	wheel_init(&wheel, START);
	assert_int_equal(expire_one(&wheel, START + 5000, &fired), 0);
	for (ustime deadline = 0; deadline <= START; deadline += START / 4) {
		wheel_arm(&wheel, &node, deadline);
		assert_true(wheel_next(&wheel) <= START + 5000);
		assert_int_equal(expire_one(&wheel, START + 5000, &fired), 1);
		assert_ptr_equal(fired, &node);
	}
}

static void
test_beyond_the_span_fires_early_at_the_span(void **state)
{
	struct wheel_node node = {0}, *fired;
	struct wheel wheel;
	ustime edge = START / TICK_US * TICK_US + WHEEL_SPAN_US;

	wheel_init(&wheel, START);
	wheel_arm(&wheel, &node, USTIME_NEVER);
	assert_true(wheel_deadline(&wheel, &node) == edge);
	assert_int_equal(expire_one(&wheel, edge - 1, &fired), 0);
	assert_int_equal(expire_one(&wheel, edge, &fired), 1);
}

static void
test_cancel_is_idempotent(void **state)
{
	struct wheel_node nodes[3] = {0}, *fired[3];
	struct wheel wheel;

	wheel_init(&wheel, START);
	for (int i = 0; i < 3; i++)
		wheel_arm(&wheel, &nodes[i], START + 1000); /* one slot: first, middle, last */
	wheel_cancel(&wheel, &nodes[1]);
	wheel_cancel(&wheel, &nodes[1]);
	assert_int_equal(wheel.armed, 2);
	wheel_cancel(&wheel, &nodes[2]);
	assert_int_equal(wheel_expire(&wheel, START + 2000, fired, 3), 1);
	assert_ptr_equal(fired[0], &nodes[0]);
	wheel_cancel(&wheel, &nodes[0]);
	for (int level = 0; level < WHEEL_LEVELS; level++)
		assert_true(wheel.occupied[level] == 0);
}

/* Time that stands still or steps back does no harm: the wheel stays where it was. */
static void
test_time_never_goes_back(void **state)
{
	struct wheel_node node = {0}, *fired;
	struct wheel wheel;

	wheel_init(&wheel, START);
	assert_int_equal(expire_one(&wheel, START + 80000, &fired), 0);
	wheel_arm(&wheel, &node, START + 80100);
	assert_int_equal(expire_one(&wheel, START, &fired), 0);
	assert_int_equal(expire_one(&wheel, START + 80099, &fired), 0);
	assert_int_equal(expire_one(&wheel, START + 80108, &fired), 1);
}

static uint32_t
slot_length(const struct wheel *wheel, int level)
{
	uint32_t n = 0;

	for (uint32_t slot = 0; slot < WHEEL_SLOTS; slot++)
		for (struct wheel_node *node = wheel->slots[level][slot]; node; node = node->next)
			n++;
	return n;
}

/* A crowd in one slot of the top level: moved down over many calls, each of them bounded. */
static void
test_a_crowd_moves_down_in_bounded_steps(void **state)
{
	enum { CROWD = 5 * WHEEL_MOVES_MAX };
	ustime begin = 3ull << 27, span = 1ull << 24; /* begin: of a top slot, 2^24 ticks of 8 µs */
	struct wheel_node *nodes = calloc(CROWD, sizeof(*nodes)), *fired[64], early = {0};
	uint32_t calls = 0, total = 0;
	struct wheel wheel;

	wheel_init(&wheel, 0);
	for (uint32_t i = 0; i < CROWD; i++)
		wheel_arm(&wheel, &nodes[i], begin + 8000 + (i * 7919ull * 64) % span);
	assert_int_equal(slot_length(&wheel, WHEEL_LEVELS - 1), CROWD);
	for (uint32_t left = CROWD; left > 0; calls++) {
		uint32_t now_left;

		assert_int_equal(wheel_expire(&wheel, begin, fired, 64), 0);
		now_left = slot_length(&wheel, WHEEL_LEVELS - 1);
		assert_true(left - now_left <= WHEEL_MOVES_MAX && now_left < left);
		left = now_left;
		assert_true(left == 0 || wheel_next(&wheel) <= begin);
		if (calls == 0) /* the earliest was armed first and still waits to be moved */
			assert_ptr_equal(wheel_first(&wheel), &nodes[0]);
		if (calls == 1) { /* armed in the middle of it: still the first to fire */
			wheel_arm(&wheel, &early, begin + 16);
			assert_ptr_equal(wheel_first(&wheel), &early);
		}
	}
	assert_int_equal(calls, CROWD / WHEEL_MOVES_MAX);
	assert_int_equal(wheel_expire(&wheel, begin + 4000, fired, 64), 1);
	assert_ptr_equal(fired[0], &early);
	for (ustime now = begin; now < begin + span + 16000; now += 4096)
		for (unsigned int n; (n = wheel_expire(&wheel, now, fired, 64)) > 0; total += n)
			;
	assert_int_equal(total, CROWD);
	free(nodes);
}

/*
 * [ATK-46] A million nodes of one tick, at the far end of a slot of a higher level: each call fires and
 * moves no more than its bounds, none is wasted, and all have fired when the next tick is over, the
 * one that was due beside them included.
 */
static void
test_a_million_timers_of_one_tick(void **state)
{
	enum { CROWD = 1000000, MAX = 64 };
	ustime slot = 3ull << 18, deadline = slot + 200000; /* the slot: of 2^15 ticks of 8 µs */
	struct wheel_node *nodes = calloc(CROWD, sizeof(*nodes)), *fired[MAX], beside = {0};
	uint32_t total = 0, calls = 0, below;
	struct wheel wheel;

	wheel_init(&wheel, 0);
	for (uint32_t i = 0; i < CROWD; i++)
		wheel_arm(&wheel, &nodes[i], deadline);
	wheel_arm(&wheel, &beside, deadline + TICK_US);
	for (ustime now = 0; now < deadline; now = wheel_next(&wheel), calls++) {
		assert_int_equal(wheel_expire(&wheel, now, fired, MAX), 0);
		below = slot_length(&wheel, 0);
		assert_true(below <= (uint64_t)(calls + 1) * WHEEL_MOVES_MAX);
	}
	for (unsigned int n; total < CROWD; total += n, calls++) {
		n = wheel_expire(&wheel, deadline, fired, MAX);
		assert_true(n <= MAX);
	}
	assert_int_equal(total, CROWD);
	/* Down by at most WHEEL_LEVELS - 1 levels, and then out. */
	assert_true(calls <= CROWD / MAX + (WHEEL_LEVELS - 1) * (CROWD / WHEEL_MOVES_MAX + 2));
	assert_int_equal(wheel_expire(&wheel, deadline + TICK_US, fired, MAX), 1);
	assert_ptr_equal(fired[0], &beside);
	assert_int_equal(wheel.armed, 0);
	free(nodes);
}

/* A slot half moved down whose rest is cancelled must not hide what already moved. */
static void
test_cancelling_the_rest_of_a_half_moved_slot(void **state)
{
	enum { CROWD = 2 * WHEEL_MOVES_MAX };
	ustime begin = 3ull << 27;
	struct wheel_node *nodes = calloc(CROWD, sizeof(*nodes)), *fired[64], later = {0};
	uint32_t left = 0, total = 0;
	ustime first;
	struct wheel wheel;

	wheel_init(&wheel, 0);
	wheel_arm(&wheel, &later, 2 * begin); /* in another slot of that level */
	for (uint32_t i = 0; i < CROWD; i++)
		wheel_arm(&wheel, &nodes[i], begin + 8 * i);
	wheel_expire(&wheel, begin, fired, 64);
	while (wheel.slots[WHEEL_LEVELS - 1][3] != NULL)
		wheel_cancel(&wheel, wheel.slots[WHEEL_LEVELS - 1][3]);
	left = wheel.armed - 1;
	assert_int_equal(left, WHEEL_MOVES_MAX);
	first = wheel_deadline(&wheel, wheel_first(&wheel));
	assert_true(wheel_next(&wheel) <= first);
	for (ustime now = first; now < begin + 8 * CROWD; now += 8, total++)
		assert_int_equal(wheel_expire(&wheel, now, fired, 64), 1);
	assert_int_equal(total, left);
	assert_ptr_equal(wheel_first(&wheel), &later);
	free(nodes);
}

/* The model: an unordered list of ticks, searched in full for every answer. */

#define NODES 300

struct model {
	struct wheel wheel;
	struct wheel_node nodes[NODES];
	uint64_t tick[NODES]; /* 0: not armed */
	ustime now;
};

static uint64_t
random64(void)
{
	return (uint64_t)rand() << 42 ^ (uint64_t)rand() << 21 ^ (uint64_t)rand();
}

/* Delays of every magnitude alike, from a µs to four times the span. */
static ustime
random_delay(void)
{
	return random64() & ((1ull << (1 + rand() % 35)) - 1);
}

static void
model_arm(struct model *m, int i)
{
	ustime delay = random_delay();
	ustime deadline = rand() % 20 == 0 ? m->now - delay % m->now : m->now + delay;
	uint64_t tick = ceil_tick(deadline), low = m->wheel.now_tick;
	uint64_t high = low + WHEEL_SPAN_US / TICK_US;

	if (m->tick[i] != 0 && rand() % 2) /* a small push, as by an ACK */
		tick = ceil_tick(deadline = m->tick[i] * TICK_US + (ustime)(rand() % 20000));
	wheel_arm(&m->wheel, &m->nodes[i], deadline);
	m->tick[i] = tick < low ? low : tick > high ? high : tick;
	assert_true(wheel_deadline(&m->wheel, &m->nodes[i]) == m->tick[i] * TICK_US);
}

static void
model_cancel(struct model *m, int i)
{
	assert_true(wheel_is_armed(&m->nodes[i]) == (m->tick[i] != 0));
	wheel_cancel(&m->wheel, &m->nodes[i]);
	m->tick[i] = 0;
}

static uint64_t
model_first(const struct model *m, uint32_t *armed)
{
	uint64_t first = UINT64_MAX;

	*armed = 0;
	for (int i = 0; i < NODES; i++) {
		if (m->tick[i] == 0)
			continue;
		++*armed;
		if (m->tick[i] < first)
			first = m->tick[i];
	}
	return first;
}

static void
model_check_first(const struct model *m)
{
	uint32_t armed;
	uint64_t first = model_first(m, &armed);
	struct wheel_node *node = wheel_first(&m->wheel);

	assert_int_equal(m->wheel.armed, armed);
	if (armed == 0) {
		assert_null(node);
		assert_true(wheel_next(&m->wheel) == USTIME_NEVER);
		return;
	}
	assert_non_null(node);
	assert_true(m->tick[node - m->nodes] == first);
	assert_true(wheel_next(&m->wheel) <= first * TICK_US);
	assert_true(wheel_next(&m->wheel) >= m->wheel.now_tick * TICK_US);
	if (first / WHEEL_SLOTS == m->wheel.now_tick / WHEEL_SLOTS)
		assert_true(wheel_next(&m->wheel) == first * TICK_US);
}

static void
model_expire(struct model *m, unsigned int max)
{
	struct wheel_node *out[NODES];
	uint64_t last = 0;
	uint32_t armed;
	unsigned int n = wheel_expire(&m->wheel, m->now, out, max);

	assert_true(n <= max);
	for (unsigned int i = 0; i < n; i++) {
		uint64_t tick = m->tick[out[i] - m->nodes];

		assert_true(tick != 0 && tick * TICK_US <= m->now && tick >= last);
		assert_false(wheel_is_armed(out[i]));
		last = tick;
		m->tick[out[i] - m->nodes] = 0;
	}
	if (n < max) {
		assert_true(m->wheel.now_tick == m->now / TICK_US);
		assert_true(model_first(m, &armed) > m->now / TICK_US);
	} else if (n > 0) { /* none that is left is earlier than one that fired */
		assert_true(model_first(m, &armed) >= last);
	}
}

static void
model_jump(struct model *m)
{
	static const ustime steps[] = {1, 20, 300, 5000, 100000, 2000000, 60000000, 3600000000ull,
		86400000000ull, 30 * 86400000000ull};
	int bound = rand() % 10 < 8 ? 6 : 10;

	m->now += 1 + random64() % steps[rand() % bound];
}

static void
test_random_runs_equal_a_sorted_list(void **state)
{
	struct model *m = malloc(sizeof(*m));

	for (unsigned int seed = 1; seed <= 60; seed++) {
		srand(seed);
		memset(m, 0, sizeof(*m));
		m->now = seed % 3 == 0 ? START : random64() >> (8 + rand() % 30);
		m->now += 1;
		wheel_init(&m->wheel, m->now);
		for (int step = 0; step < 6000; step++) {
			int i = rand() % NODES, what = rand() % 100;

			if (what < 55)
				model_arm(m, i);
			else if (what < 75)
				model_cancel(m, i);
			else {
				model_jump(m);
				model_expire(m, rand() % 3 ? NODES : (unsigned int)(rand() % 4));
			}
			model_check_first(m);
			assert_true(wheel_check(&m->wheel));
			assert_int_equal(wheel_count(&m->wheel, 0), m->wheel.armed);
		}
	}
	free(m);
}

/* Sleeping until wheel_next and expiring comes to every deadline exactly, in few steps. */
static void
test_following_wheel_next_is_exact(void **state)
{
	struct wheel_node node = {0}, *fired;
	struct wheel wheel;

	srand(7);
	wheel_init(&wheel, START);
	for (int i = 0; i < 2000; i++) {
		ustime deadline = (wheel.now_tick + 1) * TICK_US + random_delay() % WHEEL_SPAN_US;
		int steps = 0;

		wheel_arm(&wheel, &node, deadline);
		while (expire_one(&wheel, wheel_next(&wheel), &fired) == 0)
			steps++;
		assert_true(steps < WHEEL_LEVELS);
		assert_true(wheel.now_tick == ceil_tick(deadline));
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_fires_at_the_deadline_and_not_before),
		cmocka_unit_test(test_a_passed_deadline_fires_in_the_next_call),
		cmocka_unit_test(test_beyond_the_span_fires_early_at_the_span),
		cmocka_unit_test(test_cancel_is_idempotent),
		cmocka_unit_test(test_time_never_goes_back),
		cmocka_unit_test(test_a_crowd_moves_down_in_bounded_steps),
		cmocka_unit_test(test_a_million_timers_of_one_tick),
		cmocka_unit_test(test_cancelling_the_rest_of_a_half_moved_slot),
		cmocka_unit_test(test_random_runs_equal_a_sorted_list),
		cmocka_unit_test(test_following_wheel_next_is_exact),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
