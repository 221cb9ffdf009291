/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The timer wheel with 1 thousand to 1 million timers armed: what arming and cancelling one cost,
 * what it costs to move one (by a little, as each packet pushes a timer back, or anywhere), and
 * what one timer's expiry costs from its arming to its firing, all moves between levels included.
 */
#include <random>
#include <vector>

#include "bench.h"

extern "C" {
#include "wheel.h"
}

namespace
{

constexpr uint32_t kChoices = 1 << 16; /* random numbers, drawn before */
constexpr ustime kStart = 1000000;
constexpr ustime kSpread = 2 * USEC_PER_SEC;

/* As in a connection: the node stands in an object of several cache lines. */
struct alignas(64) timer {
	struct wheel_node node;
	char connection[256 - sizeof(struct wheel_node)];
};

struct World {
	explicit World(uint32_t n) : timers(n)
	{
		std::mt19937 random(n);

		wheel_init(&wheel, kStart);
		for (uint32_t i = 0; i < kChoices; i++) {
			choices.push_back(random() % n);
			delays.push_back(1 + random() % kSpread);
		}
		for (struct timer &timer : timers)
			wheel_arm(&wheel, &timer.node, kStart + 1 + random() % kSpread);
	}

	struct wheel wheel;
	std::vector<struct timer> timers;
	std::vector<uint32_t> choices;
	std::vector<ustime> delays;
};

void
arm_cancel(benchmark::State &state)
{
	World w(static_cast<uint32_t>(state.range(0)));
	uint32_t i = 0;
	uint64_t begin = rte_rdtsc();

	for (auto _ : state) {
		struct wheel_node *node = &w.timers[w.choices[i]].node;

		wheel_cancel(&w.wheel, node);
		wheel_arm(&w.wheel, node, kStart + w.delays[i]);
		i = (i + 1) % kChoices;
	}
	bench_items(state, static_cast<uint64_t>(state.iterations()), rte_rdtsc() - begin);
}

void
move_a_little(benchmark::State &state)
{
	World w(static_cast<uint32_t>(state.range(0)));
	uint32_t i = 0;
	uint64_t begin = rte_rdtsc();

	for (auto _ : state) {
		struct wheel_node *node = &w.timers[w.choices[i]].node;
		ustime deadline = wheel_deadline(&w.wheel, node) + 100;

		wheel_arm(&w.wheel, node, deadline < kStart + kSpread ? deadline : kStart + 1);
		i = (i + 1) % kChoices;
	}
	bench_items(state, static_cast<uint64_t>(state.iterations()), rte_rdtsc() - begin);
}

void
move_anywhere(benchmark::State &state)
{
	World w(static_cast<uint32_t>(state.range(0)));
	uint32_t i = 0;
	uint64_t begin = rte_rdtsc();

	for (auto _ : state) {
		wheel_arm(&w.wheel, &w.timers[w.choices[i]].node, kStart + w.delays[i]);
		i = (i + 1) % kChoices;
	}
	bench_items(state, static_cast<uint64_t>(state.iterations()), rte_rdtsc() - begin);
}

/* A turn each 50 µs; what fires is armed again. */
void
expire(benchmark::State &state)
{
	World w(static_cast<uint32_t>(state.range(0)));
	uint64_t fired = 0;
	ustime now = kStart;
	uint32_t i = 0;
	uint64_t begin = rte_rdtsc();

	for (auto _ : state) {
		struct wheel_node *due[64];
		unsigned int n;

		now += 50;
		do {
			n = wheel_expire(&w.wheel, now, due, 64);
			for (unsigned int j = 0; j < n; j++) {
				wheel_arm(&w.wheel, due[j], now + w.delays[i]);
				i = (i + 1) % kChoices;
			}
			fired += n;
		} while (n == 64);
	}
	bench_items(state, fired, rte_rdtsc() - begin);
}

void
sizes(benchmark::internal::Benchmark *bench)
{
	bench->RangeMultiplier(10)->Range(1000, 1000000);
}

BENCHMARK(arm_cancel)->Apply(sizes);
BENCHMARK(move_a_little)->Apply(sizes);
BENCHMARK(move_anywhere)->Apply(sizes);
BENCHMARK(expire)->Apply(sizes);

} /* namespace */

BENCHMARK_MAIN();
