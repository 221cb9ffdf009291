/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef FUZZ_ALIVE_H
#define FUZZ_ALIVE_H

/*
 * Whatever was said to the lane, it still answers: a ping, and a new connection that is echoed, over
 * each family of which it has an address. Ends the program if it does not. For a lane whose
 * connections have ended and whose buffers are free.
 */
void alive_check(void);

#endif
