/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The stopwatch: bench ROUNDS RAW.csv <STEPS >SUMMARY.tsv
 *
 * STEPS has a line a step: SERIES, a tab, a command (split at blanks, %i is the round). All steps
 * are done in order, ROUNDS times over, so that every series meets the same weather. SERIES is
 * WHO/WHAT, or
 * "-" for a step that is not measured; the command "reap" waits for the processes that have come
 * to us since their parents ended. Wall time is from before posix_spawn to after wait4; CPU time is
 * the child's with those it has waited for. One more round at the start is thrown away.
 *
 * SUMMARY: series, n, wall median, wall p10, CPU median, CPU p10 (ms), peak RSS (KiB), minor
 * faults, failures, and the medians of the paired ratios to every WHO with the same WHAT, as
 * "WHO=CPU/WALL WHO=CPU/WALL".
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <spawn.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

extern char **environ;

#define STEPS  512
#define SERIES 128
#define WORDS  64

struct step {
	int series; /* -1: not measured */
	char *command;
};

struct sample {
	double wall, cpu, rss, faults;
};

struct series {
	char *name;
	struct sample *samples;
	int n, failures;
};

static struct step steps[STEPS];
static struct series series[SERIES];
static int n_steps, n_series, rounds;
static posix_spawn_file_actions_t files;

static void die(const char *what)
{
	fprintf(stderr, "bench: %s\n", what);
	exit(2);
}

static double now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec * 1e3 + (double)t.tv_nsec / 1e6;
}

static double ms(struct timeval t)
{
	return (double)t.tv_sec * 1e3 + (double)t.tv_usec / 1e3;
}

static int find_series(const char *name)
{
	if (strcmp(name, "-") == 0)
		return -1;
	for (int i = 0; i < n_series; i++)
		if (strcmp(series[i].name, name) == 0)
			return i;
	if (n_series == SERIES)
		die("too many series");
	series[n_series].name = strdup(name);
	series[n_series].samples = calloc((size_t)rounds, sizeof(struct sample));
	if (!series[n_series].name || !series[n_series].samples)
		die("out of memory");
	return n_series++;
}

static void read_steps(void)
{
	char *line = NULL;
	size_t room = 0;

	while (getline(&line, &room, stdin) > 0) {
		char *tab = strchr(line, '\t');

		line[strcspn(line, "\n")] = '\0';
		if (!tab || line[0] == '#')
			continue;
		*tab = '\0';
		if (n_steps == STEPS)
			die("too many steps");
		steps[n_steps].series = find_series(line);
		steps[n_steps++].command = strdup(tab + 1);
	}
	free(line);
}

/* The words of @command in @words; @text holds them. */
static void split(const char *command, int round, char *text, size_t size, char **words)
{
	char *save = NULL, *p;
	size_t at = 0;
	int n = 0;

	for (; *command && at + 16 < size; command++) {
		if (command[0] == '%' && command[1] == 'i') {
			at += (size_t)snprintf(text + at, size - at, "%d", round);
			command++;
		} else {
			text[at++] = *command;
		}
	}
	text[at] = '\0';
	for (p = strtok_r(text, " ", &save); p && n < WORDS - 1; p = strtok_r(NULL, " ", &save))
		words[n++] = p;
	words[n] = NULL;
}

static int run_step(const struct step *s, int round, struct sample *ret)
{
	char text[8192], *words[WORDS];
	struct rusage usage;
	double start;
	int status, r;
	pid_t pid;

	split(s->command, round, text, sizeof(text), words);
	start = now_ms();
	r = posix_spawnp(&pid, words[0], &files, NULL, words, environ);
	if (r)
		die(strerror(r));
	while (wait4(pid, &status, 0, &usage) < 0 && errno == EINTR)
		;
	ret->wall = now_ms() - start;
	ret->cpu = ms(usage.ru_utime) + ms(usage.ru_stime);
	ret->rss = (double)usage.ru_maxrss;
	ret->faults = (double)usage.ru_minflt;
	return status;
}

static int reap(struct sample *ret)
{
	struct rusage usage = {0};
	double start = now_ms();
	int n = 0, status;

	while (now_ms() - start < 2000) {
		pid_t pid = wait4(-1, &status, WNOHANG, &usage);

		if (pid < 0)
			break;
		if (pid == 0) {
			poll(NULL, 0, 1);
			continue;
		}
		n++;
		ret->cpu += ms(usage.ru_utime) + ms(usage.ru_stime);
		ret->rss = (double)usage.ru_maxrss > ret->rss ? (double)usage.ru_maxrss : ret->rss;
		ret->faults += (double)usage.ru_minflt;
	}
	ret->wall = now_ms() - start;
	return n == 0;
}

static void measure(FILE *raw)
{
	fprintf(raw, "series,round,wall_ms,cpu_ms,rss_kib,minor_faults,status\n");
	for (int round = 0; round <= rounds; round++) {
		for (int i = 0; i < n_steps; i++) {
			struct sample sample = {0};
			int status = strcmp(steps[i].command, "reap") == 0
					     ? reap(&sample)
					     : run_step(&steps[i], round, &sample);
			struct series *s = steps[i].series < 0 ? NULL : &series[steps[i].series];

			if (!s)
				continue;
			if (round == 0 && status)
				fprintf(stderr, "bench: %s: status %#x: %s\n", s->name,
					(unsigned)status, steps[i].command);
			if (round == 0 || s->n == rounds)
				continue;
			s->samples[s->n++] = sample;
			s->failures += status != 0;
			fprintf(raw, "%s,%d,%.4f,%.4f,%.0f,%.0f,%d\n", s->name, round, sample.wall,
				sample.cpu, sample.rss, sample.faults, status);
		}
	}
}

static int by_value(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return x < y ? -1 : x > y;
}

static double quantile(double *v, int n, double q)
{
	qsort(v, (size_t)n, sizeof(*v), by_value);
	return n ? v[(int)((n - 1) * q + 0.5)] : 0;
}

/* The @q-quantile of the member at @offset. */
static double of_member(const struct series *s, size_t offset, double q)
{
	double *v = calloc((size_t)s->n + 1, sizeof(*v)), r;

	if (!v)
		die("out of memory");
	for (int i = 0; i < s->n; i++)
		v[i] = *(const double *)((const char *)&s->samples[i] + offset);
	r = quantile(v, s->n, q);
	free(v);
	return r;
}

static double paired(const struct series *s, const struct series *base, size_t offset)
{
	int n = s->n < base->n ? s->n : base->n, k = 0;
	double *v = calloc((size_t)n + 1, sizeof(*v)), r;

	if (!v)
		die("out of memory");
	for (int i = 0; i < n; i++) {
		double a = *(const double *)((const char *)&s->samples[i] + offset);
		double b = *(const double *)((const char *)&base->samples[i] + offset);

		if (b > 0)
			v[k++] = a / b;
	}
	r = quantile(v, k, 0.5);
	free(v);
	return r;
}

#define WALL offsetof(struct sample, wall)
#define CPU  offsetof(struct sample, cpu)

static void report_ratios(const struct series *s)
{
	const char *what = strchr(s->name, '/');

	for (int i = 0; what && i < n_series; i++) {
		const char *other = strchr(series[i].name, '/');

		if (&series[i] != s && other && strcmp(other, what) == 0)
			printf(" %.*s=%.2f/%.2f", (int)(other - series[i].name), series[i].name,
			       paired(s, &series[i], CPU), paired(s, &series[i], WALL));
	}
}

static void report(void)
{
	printf("series\tn\twall\twall_p10\tcpu\tcpu_p10\trss\tfaults\tfailures\tratios\n");
	for (int i = 0; i < n_series; i++) {
		const struct series *s = &series[i];

		printf("%s\t%d\t%.3f\t%.3f\t%.3f\t%.3f\t%.0f\t%.0f\t%d\t", s->name, s->n,
		       of_member(s, WALL, 0.5), of_member(s, WALL, 0.1), of_member(s, CPU, 0.5),
		       of_member(s, CPU, 0.1), of_member(s, offsetof(struct sample, rss), 0.5),
		       of_member(s, offsetof(struct sample, faults), 0.5), s->failures);
		report_ratios(s);
		printf("\n");
	}
}

int main(int argc, char **argv)
{
	FILE *raw;

	rounds = argc == 3 ? atoi(argv[1]) : 0;
	if (rounds < 1)
		die("usage: bench ROUNDS RAW.csv <STEPS");
	raw = fopen(argv[2], "we");
	if (!raw)
		die(strerror(errno));
	read_steps();
	prctl(PR_SET_CHILD_SUBREAPER, 1);
	posix_spawn_file_actions_init(&files);
	/* Old runtimes change the owner of their stdin; in an enclosure /dev/null is the
	 * enclosure's. */
	posix_spawn_file_actions_addopen(&files, 0, "/dev/null", O_RDONLY, 0);
	posix_spawn_file_actions_addopen(&files, 1, "/dev/null", O_WRONLY, 0);
	if (!getenv("BENCH_ERRORS"))
		posix_spawn_file_actions_addopen(&files, 2, "/dev/null", O_WRONLY, 0);
	measure(raw);
	fclose(raw);
	report();
	return 0;
}
