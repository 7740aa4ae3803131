/* Asks a server over UDP as fast as it answers, so that the server is busy and not who asks.
 *
 *     asker PORT SECONDS WINDOW LANES ID_AT ID_SIZE FIRST_AT < REQUESTS
 *
 * on 127.0.0.1: WINDOW requests under way on each of LANES sockets. REQUESTS are datagrams, each
 * after its length (two octets, big-endian), sent in order again and again. Each gets an id of its
 * own: ID_SIZE (2 or 4) octets at ID_AT. Where an answer has several packets, only the one with zero
 * in the octet at FIRST_AT counts (FIRST_AT -1: all do). Prints how many answers came, how many were
 * lost, how many packets answered nothing that was asked, and in how many seconds.
 */
#define _GNU_SOURCE
#include <string.h>
#include <sys/epoll.h>

#include "asking.h"

enum { BATCH = 64, SLOT = 4096, MAX_LANES = 256, IDS = 1 << 16, PATIENCE_MS = 200 };

struct lane {
	int fd;
	unsigned next_id, under_way;
	double heard;
	unsigned char open[IDS]; /* by the last 16 bits of an id: whether its answer is to come */
};

static struct lane lanes[MAX_LANES];
static size_t next_request;
static unsigned window, id_at, id_size;
static long first_at;
static unsigned long answers, lost, strange;
static struct mmsghdr messages[BATCH];
static struct iovec vectors[BATCH];
static unsigned char slots[BATCH][SLOT];

/* Have as many under way as there may be. */
static void ask(struct lane *lane)
{
	while (lane->under_way < window) {
		unsigned want = window - lane->under_way, i;
		int sent;

		for (i = 0; i < want && i < BATCH; i++) {
			size_t size = put_request(slots[i], next_request + i, lane->next_id + i, id_at,
						  id_size);

			vectors[i] = (struct iovec){slots[i], size};
		}
		if ((sent = sendmmsg(lane->fd, messages, i, MSG_DONTWAIT)) <= 0)
			return;
		for (int k = 0; k < sent; k++)
			lane->open[(lane->next_id + k) % IDS] = 1;
		lane->next_id += sent;
		lane->under_way += sent;
		next_request = (next_request + sent) % request_count;
	}
}

static void hear(struct lane *lane)
{
	int came;

	do {
		for (int i = 0; i < BATCH; i++)
			vectors[i] = (struct iovec){slots[i], SLOT};
		came = recvmmsg(lane->fd, messages, BATCH, MSG_DONTWAIT, NULL);
		for (int i = 0; i < came; i++) {
			unsigned char *end = slots[i] + id_at + id_size;
			unsigned char *open = &lane->open[end[-2] << 8 | end[-1]];

			if (first_at >= 0 && slots[i][first_at])
				continue;
			if (!*open) {
				strange++;
				continue;
			}
			*open = 0;
			lane->under_way--;
			answers++;
		}
	} while (came == BATCH);
}

/* What is not answered by now never will be. */
static void give_up(struct lane *lane)
{
	lost += lane->under_way;
	lane->under_way = 0;
	memset(lane->open, 0, sizeof lane->open);
}

int main(int argc, char **argv)
{
	int epoll = epoll_create1(0), lane_count = argc == 8 ? atoi(argv[4]) : 0;
	struct epoll_event ready[MAX_LANES];
	double begun, end, at;

	read_requests();
	if (lane_count < 1 || lane_count > MAX_LANES || !request_count)
		return 2;
	window = atoi(argv[3]), id_at = atoi(argv[5]), id_size = atoi(argv[6]);
	first_at = atol(argv[7]);
	for (int i = 0; i < BATCH; i++)
		messages[i].msg_hdr = (struct msghdr){.msg_iov = &vectors[i], .msg_iovlen = 1};
	begun = now();
	for (int i = 0; i < lane_count; i++) {
		struct epoll_event in = {.events = EPOLLIN, .data.ptr = &lanes[i]};

		lanes[i].fd = open_udp(atoi(argv[1]), INADDR_LOOPBACK);
		lanes[i].heard = begun;
		epoll_ctl(epoll, EPOLL_CTL_ADD, lanes[i].fd, &in);
		ask(&lanes[i]);
	}
	for (end = begun + atof(argv[2]); (at = now()) < end;) {
		int events = epoll_wait(epoll, ready, MAX_LANES, PATIENCE_MS / 4);

		for (int i = 0; i < events; i++) {
			struct lane *lane = ready[i].data.ptr;

			hear(lane);
			lane->heard = at;
			ask(lane);
		}
		for (int i = 0; i < lane_count; i++)
			if (at - lanes[i].heard > PATIENCE_MS * 1e-3) {
				give_up(&lanes[i]);
				lanes[i].heard = at;
				ask(&lanes[i]);
			}
	}
	printf("%lu %lu %lu %.6f\n", answers, lost, strange, at - begun);
}
