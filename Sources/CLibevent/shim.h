// libevent's event base, events and timers.
//
// <features.h> comes first, because event-config.h defines _GNU_SOURCE. Otherwise two modules of one program would see
// different definitions of fd_set, and a debug build would fail.
#ifndef KLING_GATEWAY_CLIBEVENT_SHIM_H
#define KLING_GATEWAY_CLIBEVENT_SHIM_H

#include <features.h>
#include <pthread.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
// glibc declares these only under _GNU_SOURCE, which this module must not set for the whole program.
extern int pthread_setname_np(pthread_t thread, const char *name);
extern int accept4(int listener, struct sockaddr *restrict peer, socklen_t *restrict length, int flags);

#include <event2/event.h>

#endif
