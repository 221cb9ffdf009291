/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef RING_PAIR_H
#define RING_PAIR_H

/* The two programs of ring_pair, each behind calls of its own: their headers have the same names. */

struct rill_stack;

/* Bring the program up with these arguments (argv[0] is a name). Returns its stack, or NULL after a
 * sentence on stderr. */
struct rill_stack *ring_echo_open(int argc, char *argv[]);
struct rill_stack *ring_load_open(int argc, char *argv[]);

/* Until its stack is stopped; on no signal. */
void *ring_echo_run(void *unused);
/* Until all is measured. Returns 0, or a negative errno after a sentence on stderr. */
int ring_load_run(void);

/* Says what was done. What ring_load_close returns is the exit status. */
void ring_echo_close(void);
int ring_load_close(int rc);

#endif
