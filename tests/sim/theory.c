/* SPDX-License-Identifier: BSD-3-Clause */
#include "theory.h"

#include <math.h>
#include <string.h>

#define CUBIC_C 0.4 /* [9438 4.6] */
#define CUBIC_BETA 0.7

static double
at_most(double value, double most)
{
	return value < most ? value : most;
}

static double
reno_window(double loss)
{
	return sqrt(1.5 / loss);
}

static double
cubic_window(double loss, double rtt)
{
	double factor = CUBIC_C * (3 + CUBIC_BETA) / (4 * (1 - CUBIC_BETA));
	double cubic = pow(factor, 0.25) * pow(rtt / loss, 0.75);

	return cubic > reno_window(loss) ? cubic : reno_window(loss);
}

/*
 * The window, in products, grows from (1 + q) / 2 to 1 + q by the same step each round. A round
 * delivers the window; it takes an RTT while the window is below 1, and longer by the queue above.
 */
static double
reno_share_of_link(double queue)
{
	double high = 1 + queue, low = high / 2;
	double delivered = (high * high - low * low) / 2, time = (high * high - 1) / 2;

	if (low >= 1)
		return 1;
	return delivered / (1 - low + time);
}

double
theory_goodput(const char *cc, const struct theory_path *path)
{
	double window_rate = path->mss / path->rtt;

	if (strcmp(cc, "none") == 0)
		return at_most(path->initial * window_rate, path->rate);
	if (strcmp(cc, "newreno") == 0 || strcmp(cc, "dctcp") == 0) {
		if (path->loss == 0)
			return strcmp(cc, "dctcp") == 0
				       ? path->rate
				       : path->rate * reno_share_of_link(path->queue);
		return at_most(reno_window(path->loss) * window_rate, path->rate);
	}
	if (strcmp(cc, "cubic") == 0 && path->loss > 0)
		return at_most(cubic_window(path->loss, path->rtt) * window_rate, path->rate);
	return path->rate;
}

double
theory_fairness(const double *shares, unsigned int n)
{
	double sum = 0, squares = 0;

	for (unsigned int i = 0; i < n; i++) {
		sum += shares[i];
		squares += shares[i] * shares[i];
	}
	return squares > 0 ? sum * sum / (n * squares) : 0;
}
