#include "CPostgreSQL.h"

#include <dlfcn.h>
#include <libpq-fe.h>
#include <pthread.h>
#include <stddef.h>

#define CHECK(result, name, parameters)                                                       \
    _Static_assert(__builtin_types_compatible_p(__typeof__(&name), result(*) parameters),     \
                   #name " is declared otherwise in libpq-fe.h");
LIBPQ_FUNCTIONS(CHECK)

const int libpq_connection_ok = CONNECTION_OK;
const int libpq_command_ok = PGRES_COMMAND_OK;
const int libpq_tuples_ok = PGRES_TUPLES_OK;
const int libpq_pipeline_sync = PGRES_PIPELINE_SYNC;
const int libpq_pipeline_aborted = PGRES_PIPELINE_ABORTED;
const int libpq_field_sqlstate = PG_DIAG_SQLSTATE;
const int libpq_field_constraint = PG_DIAG_CONSTRAINT_NAME;

static struct libpq functions;
static PQnoticeProcessor (*set_notice_processor)(PGconn *, PQnoticeProcessor, void *);
static PGnotify *(*next_notification)(PGconn *);
static const char *failure;

static void load(void) {
    void *library = dlopen("libpq.so.5", RTLD_NOW | RTLD_LOCAL);
    if (!library) {
        failure = dlerror();
        return;
    }
#define LOAD(result, name, parameters)                                  \
    if (!(*(void **)&functions.name = dlsym(library, #name))) failure = \
        #name " is not in libpq.so.5: libpq 14 or newer is needed";
    LIBPQ_FUNCTIONS(LOAD)
    LIBPQ_ENUM_FUNCTIONS(LOAD)
    *(void **)&set_notice_processor = dlsym(library, "PQsetNoticeProcessor");
    *(void **)&next_notification = dlsym(library, "PQnotifies");
}

const struct libpq *libpq_load(const char **error) {
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, load);
    *error = failure;
    return failure ? NULL : &functions;
}

static void ignore_notice(void *argument, const char *message) {
    (void)argument;
    (void)message;
}

void libpq_ignore_notices(PGconn *connection) { set_notice_processor(connection, ignore_notice, NULL); }

void *libpq_next_notification(PGconn *connection, const char **channel, const char **payload) {
    PGnotify *notification = next_notification(connection);
    *channel = notification ? notification->relname : NULL;
    *payload = notification ? notification->extra : NULL;
    return notification;
}
