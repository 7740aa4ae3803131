/* Asks a server over TCP connections that are kept, as fast as it answers.
 *
 *     stream_asker PORT SECONDS WINDOW LANES ID_AT LENGTH_AT LENGTH_SIZE < REQUESTS
 *
 * on 127.0.0.1: WINDOW requests under way on each of LANES connections. REQUESTS are messages as
 * they go over TCP, each after its length (two octets, big-endian), sent in order again and again.
 * A message tells at LENGTH_AT, in LENGTH_SIZE octets, how many follow those. Each gets an id of
 * its own: two octets at ID_AT. Prints how many answers came, how many were lost, how many messages
 * answered nothing that was asked, and in how many seconds.
 */
#define _GNU_SOURCE
#include <netinet/tcp.h>
#include <string.h>
#include <sys/epoll.h>

#include "asking.h"

enum { BUFFER = 1 << 18, MAX_LANES = 256, IDS = 1 << 16, PATIENCE_MS = 2000 };

struct lane {
	int fd;
	unsigned next_id, under_way;
	size_t held;
	unsigned char octets[BUFFER];
	unsigned char open[IDS]; /* by id: whether its answer is to come */
};

static struct lane lanes[MAX_LANES];
static size_t next_request, id_at, length_at, length_size;
static unsigned window;
static unsigned long answers, strange;

static void fail(void)
{
	perror("stream_asker");
	exit(1);
}

/* Have as many under way as there may be. */
static void ask(struct lane *lane)
{
	static unsigned char out[BUFFER];
	size_t filled = 0;

	for (; lane->under_way < window; lane->under_way++) {
		unsigned char *request = requests[next_request];
		size_t size = size_of(request);
		unsigned id = lane->next_id++ % IDS;

		if (filled + size > BUFFER)
			break;
		memcpy(out + filled, request + 2, size);
		out[filled + id_at] = id >> 8;
		out[filled + id_at + 1] = id & 255;
		lane->open[id] = 1;
		filled += size;
		next_request = (next_request + 1) % request_count;
	}
	for (size_t at = 0; at < filled;) {
		ssize_t sent = send(lane->fd, out + at, filled - at, MSG_NOSIGNAL);

		if (sent < 0)
			fail();
		at += sent;
	}
}

/* How long the message is that begins here; 0 if that is not known yet. */
static size_t length(const unsigned char *octets, size_t held)
{
	size_t size = 0;

	if (held < length_at + length_size)
		return 0;
	for (size_t i = 0; i < length_size; i++)
		size = size << 8 | octets[length_at + i];
	return length_at + length_size + size;
}

static void hear(struct lane *lane)
{
	size_t at = 0, size;
	ssize_t came = recv(lane->fd, lane->octets + lane->held, BUFFER - lane->held, 0);

	if (came <= 0)
		fail();
	lane->held += came;
	while ((size = length(lane->octets + at, lane->held - at)) && at + size <= lane->held) {
		unsigned char *id = lane->octets + at + id_at;
		unsigned char *open = &lane->open[id[0] << 8 | id[1]];

		lane->under_way -= *open;
		answers += *open;
		strange += !*open;
		*open = 0;
		at += size;
	}
	lane->held -= at;
	memmove(lane->octets, lane->octets + at, lane->held);
}

static int open_lane(int port)
{
	struct sockaddr_in peer = {.sin_family = AF_INET, .sin_port = htons((unsigned short)port)};
	int on = 1, fd = socket(AF_INET, SOCK_STREAM, 0);

	peer.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	if (fd < 0 || connect(fd, (struct sockaddr *)&peer, sizeof peer) < 0)
		fail();
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
	return fd;
}

int main(int argc, char **argv)
{
	int epoll = epoll_create1(0), lane_count = argc == 8 ? atoi(argv[4]) : 0;
	struct epoll_event ready[MAX_LANES];
	unsigned long lost = 0;
	double begun, end, at;

	read_requests();
	if (lane_count < 1 || lane_count > MAX_LANES || !request_count)
		return 2;
	window = atoi(argv[3]), id_at = atoi(argv[5]);
	length_at = atoi(argv[6]), length_size = atoi(argv[7]);
	for (int i = 0; i < lane_count; i++) {
		struct epoll_event in = {.events = EPOLLIN, .data.ptr = &lanes[i]};

		lanes[i].fd = open_lane(atoi(argv[1]));
		epoll_ctl(epoll, EPOLL_CTL_ADD, lanes[i].fd, &in);
	}
	begun = now();
	for (int i = 0; i < lane_count; i++)
		ask(&lanes[i]);
	for (end = begun + atof(argv[2]); (at = now()) < end;) {
		int events = epoll_wait(epoll, ready, MAX_LANES, PATIENCE_MS);

		if (events <= 0)
			break;
		for (int i = 0; i < events; i++) {
			hear(ready[i].data.ptr);
			ask(ready[i].data.ptr);
		}
	}
	for (int i = 0; at < end && i < lane_count; i++)
		lost += lanes[i].under_way;
	printf("%lu %lu %lu %.6f\n", answers, lost, strange, at - begun);
}
