#!/usr/bin/env bash
# libevent's timers can fire several milliseconds before their time.
#
# One would expect a timer of 20 ms to fire after 20 ms or later. libevent counts from a time that it cached when the
# loop woke up, so a timer that a callback adds after 3 ms of work is due 3 ms early; and it reads
# CLOCK_MONOTONIC_COARSE, which has steps of up to 4 ms. Either is enough alone: EVENT_BASE_FLAG_PRECISE_TIMER and
# EVENT_BASE_FLAG_NO_CACHE_TIME must be used together. A program that looks at its own clock when a timer fires finds
# its deadline not reached.
# Recorded with libevent 2.1.12 of Debian 12: 5 ms early on an idle machine, 11 ms on a busy one.
. "$(dirname "$0")/lib/common.sh"
need cc gcc
echo '#include <event2/event.h>' | cc -E -x c - >/dev/null 2>&1 || need libevent-dev libevent-dev

cat >"$folder/timers.c" <<'C'
#include <event2/event.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

enum { COUNT = 300, DELAY = 20000 };
static struct event_base *base;
static struct { double due; struct event *event; } timers[COUNT];
static int fired;
static double earliest;

static double now(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return time.tv_sec * 1e6 + time.tv_nsec / 1e3;
}

static void timer_fired(evutil_socket_t fd, short what, void *index) {
    double late = now() - timers[(long)index].due;
    if (late < earliest) earliest = late;
    if (++fired == COUNT) event_base_loopbreak(base);
}

// Works for up to 3 ms, then adds a timer.
static void add_next(evutil_socket_t fd, short what, void *unused) {
    static long next;
    for (double start = now(); now() - start < (next % 7) * 500;) {}
    struct timeval delay = {0, DELAY}, pause = {0, 1000};
    timers[next].event = event_new(base, -1, 0, timer_fired, (void *)next);
    timers[next].due = now() + DELAY;
    event_add(timers[next].event, &delay);
    if (++next < COUNT) event_base_once(base, -1, EV_TIMEOUT, add_next, NULL, &pause);
}

int main(int count, char **arguments) {
    struct event_config *config = event_config_new();
    event_config_set_flag(config, atoi(arguments[1]));
    base = event_base_new_with_config(config);
    struct timeval soon = {0, 1000};
    event_base_once(base, -1, EV_TIMEOUT, add_next, NULL, &soon);
    event_base_dispatch(base);
    printf("%s %.2f\n", event_get_version(), earliest / 1000);
}
C
cc -w -O1 -o "$folder/timers" "$folder/timers.c" -levent

# timers WHAT FLAGS RECORDED: prints the earliest timer in milliseconds before its time; RECORDED: early, punctual.
timers() {
    local version earliest seen=punctual verdict="as recorded"
    read -r version earliest < <("$folder/timers" "$2")
    if awk "BEGIN { exit !($earliest < -0.5) }"; then seen=early; fi
    if [ "$seen" != "$3" ]; then
        verdict="CHANGED: $3 recorded"
        changed=1
    fi
    printf 'libevent %s, %s: earliest %s ms: %s (%s)\n' "$version" "$1" "$earliest" "$seen" "$verdict"
}

timers "default flags" 0 early
timers "EVENT_BASE_FLAG_PRECISE_TIMER" $((0x20)) early
timers "EVENT_BASE_FLAG_NO_CACHE_TIME" $((0x08)) early
timers "both" $((0x28)) punctual
conclude
