// libevent's event base, events and timers.
//
// <features.h> comes first: event-config.h defines _GNU_SOURCE, and without it two modules of one program see two
// different definitions of fd_set (a debug build then fails).
#ifndef KLING_GATEWAY_CLIBEVENT_SHIM_H
#define KLING_GATEWAY_CLIBEVENT_SHIM_H

#ifdef __linux__
#include <features.h>
#include <pthread.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
// Declared by glibc under _GNU_SOURCE only, which is not ours to set for the whole program.
extern int pthread_setname_np(pthread_t thread, const char *name);
extern int accept4(int listener, struct sockaddr *restrict peer, socklen_t *restrict length, int flags);
#endif

#include <event2/event.h>

#endif
