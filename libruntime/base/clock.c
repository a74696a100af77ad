/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Clocks and the text form of a moment. The calendar is reckoned here: the C library's takes
 * a lock and reads the time zone's file.
 */
#include "base/clock.h"

#include <errno.h>
#include <limits.h>
#include <stdbool.h>
#include <sys/timerfd.h>
#include <time.h>

#include "base/fd.h"
#include "base/str.h"

int64_t clock_now_ms(void)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

int64_t clock_deadline(int64_t ms)
{
	int64_t when;

	if (ms < 0 || __builtin_add_overflow(clock_now_ms(), ms, &when))
		return CLOCK_FOREVER;
	return when;
}

int clock_poll_ms(int64_t deadline_ms)
{
	int64_t left;

	if (deadline_ms == CLOCK_FOREVER)
		return -1;
	if (__builtin_sub_overflow(deadline_ms, clock_now_ms(), &left) || left <= 0)
		return 0;
	return left > INT_MAX ? INT_MAX : (int)left;
}

int clock_timer_set(int fd, int64_t first_us, int64_t interval_us)
{
	struct itimerspec t = {
		.it_value = {first_us / 1000000, first_us % 1000000 * 1000},
		.it_interval = {interval_us / 1000000, interval_us % 1000000 * 1000},
	};

	return timerfd_settime(fd, 0, &t, NULL) < 0 ? -errno : 0;
}

int clock_timer(int64_t first_us, int64_t interval_us)
{
	AUTO_CLOSE int fd = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
	int r = fd < 0 ? -errno : clock_timer_set(fd, first_us, interval_us);

	return r < 0 ? r : fd_take(&fd);
}

struct moment {
	int year, month, day, hour, minute, second;
};

/* Years begin in March, so that the leap day is the last; 400 years are one cycle. */
static void from_days(int64_t days, struct moment *m)
{
	int64_t cycle, in_cycle, year, in_year, month;

	days += 719468; /* since 0000-03-01 */
	cycle = days / 146097;
	in_cycle = days % 146097;
	year = (in_cycle - in_cycle / 1460 + in_cycle / 36524 - in_cycle / 146096) / 365;
	in_year = in_cycle - (365 * year + year / 4 - year / 100);
	month = (5 * in_year + 2) / 153;
	m->day = (int)(in_year - (153 * month + 2) / 5 + 1);
	m->month = (int)(month < 10 ? month + 3 : month - 9);
	m->year = (int)(year + cycle * 400 + (m->month <= 2));
}

static int64_t to_days(const struct moment *m)
{
	int64_t year = m->year - (m->month <= 2);
	int64_t month = m->month > 2 ? m->month - 3 : m->month + 9;
	int64_t in_year = (153 * month + 2) / 5 + m->day - 1;
	int64_t cycle = year / 400, in_cycle = year % 400;

	return cycle * 146097 + in_cycle * 365 + in_cycle / 4 - in_cycle / 100 + in_year - 719468;
}

void clock_text(char buf[CLOCK_TEXT_SIZE])
{
	struct timespec now;
	struct moment m;
	struct strbuf b;
	int s;

	(void)clock_gettime(CLOCK_REALTIME, &now);
	from_days(now.tv_sec / 86400, &m);
	s = (int)(now.tv_sec % 86400);
	strbuf_init(&b, buf, CLOCK_TEXT_SIZE);
	strbuf_fmt(&b, "%04d-%02d-%02dT%02d:%02d:%02d.%09ldZ", m.year, m.month, m.day, s / 3600,
		   s / 60 % 60, s % 60, now.tv_nsec);
}

/* Exactly @digits digits at *@at, which moves behind them; -1 if they are not there. */
static int number(const char **at, int digits)
{
	int v = 0;

	for (int i = 0; i < digits; i++, (*at)++) {
		if (**at < '0' || **at > '9')
			return -1;
		v = v * 10 + (**at - '0');
	}
	return v;
}

static bool skip(const char **at, const char *any_of)
{
	if (!**at || !strchr(any_of, **at))
		return false;
	(*at)++;
	return true;
}

static int month_days(const struct moment *m)
{
	static const char days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
	bool leap = (m->year % 4 == 0 && m->year % 100 != 0) || m->year % 400 == 0;

	return days[m->month - 1] + (leap && m->month == 2);
}

static bool parse_moment(const char **at, struct moment *m)
{
	m->year = number(at, 4);
	if (m->year < 0 || !skip(at, "-"))
		return false;
	m->month = number(at, 2);
	if (m->month < 1 || m->month > 12 || !skip(at, "-"))
		return false;
	m->day = number(at, 2);
	if (m->day < 1 || m->day > month_days(m) || !skip(at, "Tt "))
		return false;
	m->hour = number(at, 2);
	if (m->hour < 0 || m->hour > 23 || !skip(at, ":"))
		return false;
	m->minute = number(at, 2);
	if (m->minute < 0 || m->minute > 59 || !skip(at, ":"))
		return false;
	m->second = number(at, 2);
	return m->second >= 0 && m->second <= 60; /* 60: a leap second */
}

/* Nanoseconds of ".123"; 0 where there is no point, -1 without digits behind it. */
static int64_t parse_fraction(const char **at)
{
	int64_t ns = 0, unit = 100000000;

	if (!skip(at, "."))
		return 0;
	if (**at < '0' || **at > '9')
		return -1;
	for (; **at >= '0' && **at <= '9'; (*at)++, unit /= 10)
		ns += (**at - '0') * unit;
	return ns;
}

/* Seconds east of Greenwich; nothing is UTC. */
static bool parse_offset(const char **at, int *ret)
{
	int sign = **at == '-' ? -1 : 1, hours, minutes;

	*ret = 0;
	if (!**at || skip(at, "Zz"))
		return true;
	if (!skip(at, "+-"))
		return false;
	hours = number(at, 2);
	if (hours < 0 || hours > 23 || !skip(at, ":"))
		return false;
	minutes = number(at, 2);
	*ret = sign * (hours * 3600 + minutes * 60);
	return minutes >= 0 && minutes <= 59;
}

int64_t clock_parse(const char *text)
{
	struct moment m;
	int64_t ns, fraction;
	int offset;

	if (!parse_moment(&text, &m))
		return -1;
	fraction = parse_fraction(&text);
	if (fraction < 0 || !parse_offset(&text, &offset) || *text)
		return -1;
	ns = to_days(&m) * 86400 + m.hour * 3600 + m.minute * 60 + m.second - offset;
	if (__builtin_mul_overflow(ns, INT64_C(1000000000), &ns) ||
	    __builtin_add_overflow(ns, fraction, &ns) || ns < 0)
		return -1;
	return ns;
}
