/*
 * Short connections to a memcached, each with one question: connect, "get", answer, close. Prints one line of JSON:
 *
 *   {"interval": 0.5, "served": [12034, 11987], "late": [0, 2], "failed": [0, 0], "cpu": 0.81, "user": 0.07}
 *
 * that is, how many were served in each interval, how many of these took more than half a second, how many gave up after
 * PATIENCE seconds, the processor time of this process, and the part of it that its own code takes. The rest is what the
 * kernel does for both ends of the cable: it delivers a packet in the time of whoever sends it.
 *
 *   client ADDRESS PORT FIRST-SOURCE SOURCES AT-ONCE SECONDS RATE INTERVAL PATIENCE
 *
 * RATE is connections a second; 0 is as many as AT-ONCE of them, each followed by the next, can be. Connections come from
 * SOURCES addresses, counted from FIRST-SOURCE, and take their ports in order: so none reuses the ends of another before
 * all of SOURCES * 64,000 have been used, as with many clients that each come now and then.
 *
 * In C because it must take less of the machine than what it measures.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <signal.h>
#include <unistd.h>

enum { FIRST_PORT = 1500, PORTS = 64000, MOST = 16384, BATCH = 256 };

/* What the network alone never takes here: a packet was lost, and sent again after a second. */
static const double LATE = 0.5;

static const char QUESTION[] = "get nothing\r\n";
static const char ANSWER[] = "END\r\n";

struct connection {
	int fd; /* -1: free */
	int answered;
	double since;
};

static struct connection connections[MOST];
static int busy;
static int poller;
static struct sockaddr_in server;
static uint32_t first_source;
static uint32_t sources;
static uint64_t opened;

static double now(void)
{
	struct timespec time;
	clock_gettime(CLOCK_MONOTONIC, &time);
	return time.tv_sec + time.tv_nsec / 1e9;
}

static void fail(const char *what)
{
	perror(what);
	exit(1);
}

/* Begins a connection in a free place. */
static void open_connection(int place)
{
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
	if (fd < 0)
		fail("socket");
	for (;;) {
		struct sockaddr_in source = {
			.sin_family = AF_INET,
			.sin_addr.s_addr = htonl(first_source + opened % sources),
			.sin_port = htons(FIRST_PORT + opened / sources % PORTS),
		};
		opened++;
		if (bind(fd, (struct sockaddr *)&source, sizeof source) == 0)
			break;
		if (errno != EADDRINUSE)
			fail("bind");
	}
	if (connect(fd, (struct sockaddr *)&server, sizeof server) != 0 && errno != EINPROGRESS)
		fail("connect");
	struct epoll_event event = { .events = EPOLLIN | EPOLLOUT | EPOLLET, .data.u32 = (uint32_t)place };
	if (epoll_ctl(poller, EPOLL_CTL_ADD, fd, &event) != 0)
		fail("epoll_ctl");
	connections[place] = (struct connection){ .fd = fd, .answered = -1, .since = now() };
	busy++;
}

static void close_connection(struct connection *connection)
{
	close(connection->fd);
	connection->fd = -1;
	busy--;
}

/* One step: 1 when it was served to its end, -1 when it broke, 0 when it goes on. */
static int proceed(struct connection *connection, uint32_t events)
{
	if (events & EPOLLERR)
		return -1;
	if (connection->answered < 0) {
		if (!(events & EPOLLOUT))
			return 0;
		if (send(connection->fd, QUESTION, sizeof QUESTION - 1, MSG_NOSIGNAL) < 0)
			return -1;
		connection->answered = 0;
	}
	if (!(events & EPOLLIN))
		return 0;
	for (;;) {
		char buffer[64];
		ssize_t count = recv(connection->fd, buffer, sizeof buffer, 0);
		if (count < 0)
			return errno == EAGAIN ? 0 : -1;
		if (count == 0)
			return connection->answered == sizeof ANSWER - 1 ? 1 : -1;
		connection->answered += count;
		/*
		 * The client is the first to close, as most are. Not with close() yet: this namespace keeps no TIME_WAIT, and an
		 * orphan that waited for the server's FIN would be cut off with a RST, which conntrack forgets after 10 s.
		 */
		if (connection->answered >= (int)sizeof ANSWER - 1)
			shutdown(connection->fd, SHUT_WR);
	}
}

static void print_counts(const char *name, const long *counts, int intervals)
{
	printf("\"%s\": [", name);
	for (int i = 0; i < intervals; i++)
		printf(i == 0 ? "%ld" : ", %ld", counts[i]);
	printf("], ");
}

int main(int argc, char **argv)
{
	if (argc != 10) {
		fprintf(stderr, "usage: client ADDRESS PORT FIRST-SOURCE SOURCES AT-ONCE SECONDS RATE INTERVAL PATIENCE\n");
		return 2;
	}
	/* It ends with the program that started it. */
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	server.sin_family = AF_INET;
	server.sin_port = htons(atoi(argv[2]));
	struct in_addr first;
	if (!inet_aton(argv[1], &server.sin_addr) || !inet_aton(argv[3], &first)) {
		fprintf(stderr, "client: no IPv4 address\n");
		return 2;
	}
	first_source = ntohl(first.s_addr);
	sources = (uint32_t)atoi(argv[4]);
	int at_once = atoi(argv[5]);
	double seconds = atof(argv[6]);
	double rate = atof(argv[7]);
	double interval = atof(argv[8]);
	double patience = atof(argv[9]);
	int places = rate > 0 ? MOST : at_once;
	int intervals = (int)(seconds / interval + 0.5);
	if (at_once < 1 || at_once > MOST || sources < 1 || intervals < 1) {
		fprintf(stderr, "client: a number is out of range\n");
		return 2;
	}
	long *served = calloc((size_t)intervals, sizeof *served);
	long *late = calloc((size_t)intervals, sizeof *late);
	long *failed = calloc((size_t)intervals, sizeof *failed);
	poller = epoll_create1(0);
	if (poller < 0 || !served || !late || !failed)
		fail("client");
	for (int place = 0; place < MOST; place++)
		connections[place].fd = -1;

	double start = now();
	double end = start + intervals * interval;
	double swept = start;
	uint64_t due = 0;
	int place = 0;
	for (;;) {
		double time = now();
		if (time >= end)
			break;
		int current = (int)((time - start) / interval);
		if (rate > 0) {
			/* What is late is made up for: the rate is that of the clients, not what the server would like. */
			uint64_t target = (uint64_t)((time - start) * rate);
			for (; due < target && busy < places; due++) {
				while (connections[place].fd >= 0)
					place = (place + 1) % places;
				open_connection(place);
			}
		} else {
			for (int i = 0; busy < at_once && i < at_once; i++)
				if (connections[i].fd < 0)
					open_connection(i);
		}
		struct epoll_event events[BATCH];
		int count = epoll_wait(poller, events, BATCH, rate > 0 ? 1 : 20);
		for (int i = 0; i < count; i++) {
			int at = (int)events[i].data.u32;
			struct connection *connection = &connections[at];
			int outcome = proceed(connection, events[i].events);
			if (outcome == 0)
				continue;
			(outcome > 0 ? served : failed)[current]++;
			if (outcome > 0 && time - connections[at].since > LATE)
				late[current]++;
			close_connection(connection);
			if (rate <= 0)
				open_connection(at);
		}
		if (time - swept > 0.05) {
			swept = time;
			for (int i = 0; i < places; i++)
				if (connections[i].fd >= 0 && time - connections[i].since > patience) {
					failed[current]++;
					close_connection(&connections[i]);
				}
		}
	}
	struct rusage usage;
	getrusage(RUSAGE_SELF, &usage);
	double user = usage.ru_utime.tv_sec + usage.ru_utime.tv_usec / 1e6;
	double system = usage.ru_stime.tv_sec + usage.ru_stime.tv_usec / 1e6;
	printf("{\"interval\": %g, ", interval);
	print_counts("served", served, intervals);
	print_counts("late", late, intervals);
	print_counts("failed", failed, intervals);
	printf("\"cpu\": %.3f, \"user\": %.3f}\n", user + system, user);
	return 0;
}
