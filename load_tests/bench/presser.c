/* Asks a server over UDP at a rate, whether it answers or not.
 *
 *     presser PORT LANES DEADLINE_MS ID_AT ID_SIZE FIRST_AT RATE SECONDS [RATE SECONDS]... < REQUESTS
 *
 * on 127.0.0.1: RATE requests a second over LANES sockets in turn, each with an address of its own,
 * for SECONDS whole seconds, then the next. REQUESTS, ids and FIRST_AT are as for `asker`. Prints a line for each second, of what
 * was sent in it: how many, how many were answered, how many of those within DEADLINE_MS, in how
 * many microseconds 99 of 100 answers came. The last line is how many packets answered nothing that
 * was asked.
 */
#define _GNU_SOURCE
#include <string.h>

#include "asking.h"

enum { BATCH = 64, SLOT = 4096, MAX_LANES = 64, IDS = 1 << 16, MAX_SECONDS = 120 };
enum { BUCKET_US = 50, BUCKETS = 1 << 15 };

struct lane {
	int fd;
	unsigned next_id;
	float sent_at[IDS]; /* by the last 16 bits of an id, in seconds; 0: nothing is to come */
};

/* What was sent within a second. */
struct second {
	unsigned long sent, answers, in_time;
	unsigned buckets[BUCKETS];
};

#define PATIENCE 1.0 /* seconds in which answers are waited for in the end */
#define FIRST_SOURCE (INADDR_LOOPBACK + 0x100) /* 127.0.1.1: that of the first socket */
#define MOST_OWED 8192 /* requests that are made up for after a moment without us */

static struct second seconds[MAX_SECONDS + 1];
static struct lane lanes[MAX_LANES];
static struct mmsghdr messages[BATCH];
static struct iovec vectors[BATCH];
static unsigned char slots[BATCH][SLOT];
static unsigned long sent, strange;
static size_t next_request;
static unsigned id_at, id_size;
static long first_at;
static double begun, deadline;

/* Send so many, at most a batch. */
static void ask(struct lane *lane, unsigned want)
{
	float at = now() - begun;
	int done;

	for (unsigned i = 0; i < want; i++) {
		size_t size = put_request(slots[i], next_request + i, lane->next_id + i, id_at, id_size);

		vectors[i] = (struct iovec){slots[i], size};
	}
	if ((done = sendmmsg(lane->fd, messages, want, MSG_DONTWAIT)) <= 0)
		return;
	for (int i = 0; i < done; i++)
		lane->sent_at[(lane->next_id + i) % IDS] = at;
	lane->next_id += done;
	next_request = (next_request + done) % request_count;
	seconds[(int)at].sent += done;
	sent += done;
}

static void count_answer(struct lane *lane, const unsigned char *reply, double at)
{
	const unsigned char *end = reply + id_at + id_size;
	float *sent_at = &lane->sent_at[end[-2] << 8 | end[-1]];
	struct second *second = &seconds[(int)*sent_at];
	double took = at - *sent_at;
	unsigned long bucket = took * 1e6 / BUCKET_US;

	if (first_at >= 0 && reply[first_at])
		return;
	if (!*sent_at) {
		strange++;
		return;
	}
	*sent_at = 0;
	second->answers++;
	second->in_time += took <= deadline;
	second->buckets[bucket < BUCKETS ? bucket : BUCKETS - 1]++;
}

static void hear(struct lane *lane)
{
	int came;

	do {
		double at;

		for (int i = 0; i < BATCH; i++)
			vectors[i] = (struct iovec){slots[i], SLOT};
		came = recvmmsg(lane->fd, messages, BATCH, MSG_DONTWAIT, NULL);
		at = now() - begun;
		for (int i = 0; i < came; i++)
			count_answer(lane, slots[i], at);
	} while (came == BATCH);
}

static unsigned long percentile_us(const struct second *second, double part)
{
	unsigned long passed = 0, at = 0;

	while (at < BUCKETS - 1 && (passed += second->buckets[at]) < part * second->answers)
		at++;
	return (at + 1) * BUCKET_US;
}

/* What is to be sent by a moment, if all was sent that was to be; the rates begin at `stages`. */
static double due_by(double at, char **stages)
{
	double due = 0;

	for (; *stages; stages += 2) {
		double rate = atof(stages[0]), length = atof(stages[1]);

		due += rate * (at < length ? at : length);
		if ((at -= length) <= 0)
			break;
	}
	return due;
}

int main(int argc, char **argv)
{
	int lane_count = argc >= 9 ? atoi(argv[2]) : 0, length = 0;
	double at, owed, forgiven = 0;

	read_requests();
	for (int i = 8; i < argc; i += 2)
		length += atoi(argv[i]);
	if (lane_count < 1 || lane_count > MAX_LANES || length > MAX_SECONDS || !request_count)
		return 2;
	deadline = atof(argv[3]) * 1e-3;
	id_at = atoi(argv[4]), id_size = atoi(argv[5]), first_at = atol(argv[6]);
	for (int i = 0; i < BATCH; i++)
		messages[i].msg_hdr = (struct msghdr){.msg_iov = &vectors[i], .msg_iovlen = 1};
	for (int i = 0; i < lane_count; i++) /* each from an address of its own, as clients are */
		lanes[i].fd = open_udp(atoi(argv[1]), FIRST_SOURCE + (unsigned)i);
	begun = now() - 1e-6;
	for (int turn = 0; (at = now() - begun) < length + PATIENCE; turn = (turn + 1) % lane_count) {
		owed = due_by(at, argv + 7) - sent - forgiven;
		if (owed > MOST_OWED) {
			forgiven += owed - MOST_OWED;
			owed = MOST_OWED;
		}
		if (owed >= 1 && at < length)
			ask(&lanes[turn], owed < BATCH ? owed : BATCH);
		hear(&lanes[turn]);
	}
	for (int i = 0; i < length; i++)
		printf("%lu %lu %lu %lu\n", seconds[i].sent, seconds[i].answers, seconds[i].in_time,
		       percentile_us(&seconds[i], 0.99));
	printf("%lu\n", strange);
}
