/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef SIM_THEORY_H
#define SIM_THEORY_H

/* What a flow should reach by the formulas, to stand beside what it does. */

struct theory_path {
	double rate;    /* of the link, bytes/s of payload */
	double rtt;     /* s, without queueing */
	double loss;    /* of a packet at random */
	double queue;   /* in bandwidth-delay products */
	double mss;     /* payload bytes of a full segment */
	double initial; /* segments of the initial window */
};

/*
 * Payload bytes per second of one flow alone, at most the link's rate:
 *
 *   newreno, dctcp  MSS / RTT * sqrt(3 / 2p) (Mathis et al. 1997); without loss, what a window that
 * is halved whenever the queue overflows makes of a queue below one product cubic           MSS /
 * RTT * max((C (3 + beta) / (4 (1 - beta)))^(1/4) (RTT / p)^(3/4), Reno's) [9438 5.1, 4.3] none the
 * initial window each round trip others          the link's rate
 */
double theory_goodput(const char *cc, const struct theory_path *path);

/* Jain's index of n shares: 1 when all are equal, 1/n when one has all. */
double theory_fairness(const double *shares, unsigned int n);

#endif
