/* SPDX-License-Identifier: Apache-2.0 */

#ifndef NETDEV_REPLAY_H
#define NETDEV_REPLAY_H 1

/* Netdevs of type "replay", for tests: devices that PMD threads poll, as they
 * poll those of DPDK, and that need neither root nor hugepages.
 *
 *     frames.pcap --> receive queue --> PMD thread --> send() --> tx.pcap
 *                     (in batches)                       |
 *                                                        +--> summary
 *
 * Unlike "dummy-pmd", such a device hands over whole batches, as they stand in
 * a file, at full speed if it is asked to, and it checks how it is used.
 * "replay-main" is the same type for the main thread to poll.
 *
 * A file is a pcap with microseconds.  Consecutive frames whose time stamps
 * have the same second make a batch, of NETDEV_MAX_BURST frames at most; the
 * milliseconds are a frame's headroom in bytes.  A frame with an odd number of
 * microseconds relies on whoever sends it to compute its TCP checksum.
 *
 * Options
 * =======
 *
 *     n_rxq, n_txq     queues, 1 to 8; there are never more transmit queues
 *                      than the datapath wants
 *     rx_forever=FILE  each receive queue gets the file, again and again, as
 *                      fast as it can but for short breaks, in which other
 *                      threads get a CPU
 *     stamp=true       the last 8 bytes of each received frame, if it has 64
 *                      or more, become the number of its queue (1 byte), one
 *                      that grows from batch to batch (6 bytes), and one that
 *                      grows within the batch (1 byte)
 *     tx_pcap=FILE     what is sent is appended there
 *     summary=true     what is sent is summed up, see below
 *     peer=PORT        what is sent comes in on queue 0 of PORT, if that takes
 *                      it fast enough: up to 4096 frames wait
 *
 * Commands
 * ========
 *
 *     netdev-replay/receive PORT FILE [QUEUE [TIMES]]
 *         Lets the frames in FILE come in on QUEUE (0) TIMES (1) times, not so
 *         fast that frames wait for a peer in large numbers.
 *     netdev-replay/is-idle
 *         Prints "yes" if all that was asked for so has come in on all ports
 *         and has been forwarded, otherwise "no".
 *     netdev-replay/set-admin-state PORT up|down
 *     netdev-replay/stats PORT
 *         Frames and bytes received and sent since PORT was added, and frames
 *         dropped because they were too large or PORT's peer too slow.
 *     netdev-replay/summary [PORT]
 *         A line for each kind of frame that PORT sent: its first 26 bytes,
 *         the queue in its stamp, how many frames, bytes, how many came after
 *         one of a later batch ("disordered"), and how many after a later one
 *         of their own batch ("shuffled").  Summaries are by name: that of a
 *         port that was removed and added is one.
 *     netdev-replay/totals
 *         Likewise of all ports that are and were, and violations.
 *     netdev-replay/clear
 *         Empties all summaries.
 *
 * Violations
 * ==========
 *
 * Each is logged as an error, too: a transmit queue that does not exist;
 * two threads in one transmit queue although one of them did not ask for a
 * lock; two threads in one receive queue, or one that is being closed; sending
 * while the device is reconfigured or destroyed. */

void netdev_replay_register(void);

#endif /* netdev-replay.h */
