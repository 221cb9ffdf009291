/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * goodput [--quick] [--check TABLE] [--cc NAME]
 *
 * What flows reach through a link of 100 Mbit/s in the simulated world: for each congestion
 * control, over round-trip time, random loss and queue, beside the theoretical value; and how
 * fairly two and ten flows share it. Prints the table that is committed as goodput.tsv. Time is
 * virtual and chance is seeded by the point, so a number changes only if code does. --quick does a
 * few points; --check compares what it does with a table instead of printing it, and fails where
 * they differ by more than a tenth. --cc does only one congestion control, without the table's
 * head.
 */
#include <getopt.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <rte_common.h>

#include "flows.h"
#include "theory.h"

#define RATE 12500000.0 /* bytes per second: 100 Mbit/s of IP packets */
#define MTU 1500
#define MSS 1448 /* with timestamps */
#define TOLERANCE 0.10
#define LEAST_MBIT 0.5 /* differences below it are none */

struct point {
	unsigned int cc;
	unsigned int rtt_ms;
	double loss_percent;
	double queue_bdp;
	unsigned int flows;
};

struct result {
	double mbit, theory_mbit, jain;
};

/* How long flows run: unmeasured at first, until their windows have found their level. */
static const struct {
	unsigned int rtt_ms, warm_s, measure_s;
} times[] = {{1, 1, 4}, {20, 4, 12}, {100, 15, 40}};

static const double losses[] = {0, 0.1, 1, 3};
static const double queues[] = {0.25, 1, 4};

static struct world world;

/* ---- the world of a point */

static double
bdp_bytes(const struct point *point)
{
	return RATE * point->rtt_ms / 1000;
}

/* DCTCP lives on marks. */
static bool
is_dctcp(const struct point *point)
{
	return strcmp(rill_cc_name(point->cc), "dctcp") == 0;
}

static void
build(const struct point *point)
{
	struct flows_setup setup = {.count = point->flows};
	struct link_setup *link = &setup.there;
	struct rill_options *options = &setup.options;

	rill_options_default(options);
	options->congestion_control = (int32_t)point->cc;
	options->rcvbuf = 16 << 20;
	options->sndbuf = (8 << 20) / (int32_t)((point->flows + 1) / 2);
	options->ecn = is_dctcp(point);
	setup.seed = point->rtt_ms * 1000003u + (uint64_t)(point->loss_percent * 1000) +
		     (uint64_t)(point->queue_bdp * 4) * 7919 + point->flows;
	link->delay_us = setup.back.delay_us = point->rtt_ms * MS / 2;
	link->rate = (uint64_t)RATE;
	link->queue_bytes = (uint32_t)fmax(point->queue_bdp * bdp_bytes(point), 2 * MTU);
	link->loss = (uint32_t)(point->loss_percent * 10000);
	if (is_dctcp(point)) /* K > BDP / 7 [8257 4] */
		link->mark_bytes = (uint32_t)fmin(
			fmax(bdp_bytes(point) / 5, 2 * MTU), link->queue_bytes / 2.0);
	flows_begin(&world, &setup);
}

static struct result
measure(const struct point *point)
{
	const struct theory_path path = {RATE * MSS / MTU, point->rtt_ms / 1000.0,
		point->loss_percent / 100, point->queue_bdp, MSS, 10};
	uint64_t before[FLOWS_MAX], warm_s = 0, measure_s = 0;
	double shares[FLOWS_MAX], sum = 0;
	struct result result;

	for (unsigned int i = 0; i < RTE_DIM(times); i++)
		if (times[i].rtt_ms == point->rtt_ms) {
			warm_s = times[i].warm_s;
			measure_s = times[i].measure_s;
		}
	build(point);
	flows_run_until(&world, SIM_START_US + warm_s * SECOND);
	for (unsigned int i = 0; i < point->flows; i++)
		before[i] = flows_received(i);
	flows_run_until(&world, SIM_START_US + (warm_s + measure_s) * SECOND);
	for (unsigned int i = 0; i < point->flows; i++) {
		shares[i] = (double)(flows_received(i) - before[i]) * 8 / 1e6 / (double)measure_s;
		sum += shares[i];
	}
	result.mbit = sum;
	result.jain = theory_fairness(shares, point->flows);
	result.theory_mbit =
		(point->flows == 1 ? theory_goodput(rill_cc_name(point->cc), &path) : path.rate) *
		8 / 1e6;
	world_down(&world);
	return result;
}

/* ---- the table */

static FILE *table; /* --check: compare with it */
static unsigned int compared, different;

/* Writes a point's key as the table has it. */
static void
key_of(char *key, size_t size, const struct point *point)
{
	snprintf(key, size, "%s\t%u\t%g\t%g\t%u\t", rill_cc_name(point->cc), point->rtt_ms,
		point->loss_percent, point->queue_bdp, point->flows);
}

static void
compare(const char *key, const struct result *result)
{
	char line[200];
	double mbit, theory, ratio, jain;

	rewind(table);
	while (fgets(line, sizeof(line), table) != NULL) {
		if (strncmp(line, key, strlen(key)) != 0 ||
			sscanf(line + strlen(key), "%lf %lf %lf %lf", &mbit, &theory, &ratio,
				&jain) != 4)
			continue;
		compared++;
		if (fabs(mbit - result->mbit) > fmax(TOLERANCE * mbit, LEAST_MBIT) ||
			fabs(jain - result->jain) > TOLERANCE) {
			different++;
			printf("%s was %.2f Mbit/s, fairness %.2f; is %.2f, %.2f\n", key, mbit,
				jain, result->mbit, result->jain);
		}
		return;
	}
	different++;
	printf("%s is not in the table\n", key);
}

static void
do_point(const struct point *point)
{
	struct result result = measure(point);
	char key[100];

	key_of(key, sizeof(key), point);
	if (table != NULL)
		compare(key, &result);
	else
		printf("%s%.2f\t%.2f\t%.2f\t%.3f\n", key, result.mbit, result.theory_mbit,
			result.mbit / result.theory_mbit, result.jain);
}

static void
do_algorithm(unsigned int cc, bool quick)
{
	for (unsigned int t = 0; t < RTE_DIM(times); t++) {
		for (unsigned int l = 0; l < RTE_DIM(losses); l++)
			for (unsigned int q = 0; q < RTE_DIM(queues); q++) {
				struct point point = {cc, times[t].rtt_ms, losses[l], queues[q], 1};

				if (!quick ||
					(queues[q] == 1 && (losses[l] == 0 || losses[l] == 1)))
					do_point(&point);
			}
		for (unsigned int flows = 2; flows <= FLOWS_MAX; flows += FLOWS_MAX - 2) {
			struct point point = {cc, times[t].rtt_ms, 0, 1, flows};

			if (!quick || (flows == 2 && t == 1))
				do_point(&point);
		}
	}
}

static void
print_head(void)
{
	printf("# Goodput through a link of 100 Mbit/s, and Jain's index of fairness: see goodput.c.\n"
	       "# Virtual time, seeded chance: a difference means that code has changed. To make it anew:\n"
	       "#   ninja -C BUILD tests/sim/goodput && BUILD/tests/sim/goodput >tests/sim/goodput.tsv\n"
	       "# To plot it: gnuplot -e \"table='tests/sim/goodput.tsv'; out='goodput.svg'\" tests/sim/goodput.gp\n"
	       "cc\trtt_ms\tloss_percent\tqueue_bdp\tflows\tmbit\ttheory_mbit\tratio\tjain\n");
}

int
main(int argc, char **argv)
{
	static const struct option options[] = {{"quick", no_argument, NULL, 'q'},
		{"check", required_argument, NULL, 'c'}, {"cc", required_argument, NULL, 'a'},
		{NULL, 0, NULL, 0}};
	const char *only = NULL;
	bool quick = false;
	int c;

	while ((c = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if (c == 'q')
			quick = true;
		else if (c == 'a')
			only = optarg;
		else if (c != 'c' || (table = fopen(optarg, "r")) == NULL)
			return 2;
	}
	setvbuf(stdout, NULL, _IOLBF, 0);
	flows_start_eal("goodput");
	if (table == NULL && only == NULL)
		print_head();
	for (unsigned int cc = 0; rill_cc_name(cc) != NULL; cc++)
		if (only == NULL || strcmp(only, rill_cc_name(cc)) == 0)
			do_algorithm(cc, quick);
	if (table == NULL)
		return world.failed;
	printf("%u points compared, %u differ%s\n", compared, different,
		different ? ": if that is meant, make the table anew (its head says how)" : "");
	return different != 0;
}
