/* What those who ask have in common: a clock, the requests that they read, a UDP socket. */
#ifndef ASKING_H
#define ASKING_H

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>

static unsigned char **requests; /* each after its length: two octets, big-endian */
static size_t request_count;

static inline double now(void)
{
	struct timespec at;

	clock_gettime(CLOCK_MONOTONIC, &at);
	return at.tv_sec + at.tv_nsec * 1e-9;
}

static inline size_t size_of(const unsigned char *request)
{
	return (size_t)request[0] << 8 | request[1];
}

/* All of standard input. */
static inline void read_requests(void)
{
	size_t size = 0, room = 1 << 20, got;
	unsigned char *octets = malloc(room);

	while ((got = fread(octets + size, 1, room - size, stdin)) > 0)
		if ((size += got) == room)
			octets = realloc(octets, room *= 2);
	requests = malloc((size / 2 + 1) * sizeof *requests);
	for (size_t at = 0; at + 2 <= size; at += 2 + size_of(octets + at))
		requests[request_count++] = octets + at;
}

/* A request, counted on beyond the last one, under an id of its own; how long it is. */
static inline size_t put_request(unsigned char *slot, size_t number, unsigned id, unsigned id_at,
				 unsigned id_size)
{
	unsigned char *request = requests[number % request_count];

	memcpy(slot, request + 2, size_of(request));
	for (unsigned k = id_size; k-- > 0; id >>= 8)
		slot[id_at + k] = id & 255;
	return size_of(request);
}

/* A socket from an address of ours to a port of 127.0.0.1, with room for the answers of a moment
 * without us. */
static inline int open_udp(int port, unsigned source)
{
	struct sockaddr_in peer = {.sin_family = AF_INET, .sin_port = htons((unsigned short)port)};
	struct sockaddr_in own = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(source)};
	int size = 1 << 22, fd = socket(AF_INET, SOCK_DGRAM, 0);

	peer.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof size);
	if (fd < 0 || bind(fd, (struct sockaddr *)&own, sizeof own) < 0 ||
	    connect(fd, (struct sockaddr *)&peer, sizeof peer) < 0) {
		perror("socket");
		exit(1);
	}
	return fd;
}

#endif
