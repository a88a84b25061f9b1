// libpq, loaded when it is first used: a gateway on SQLite does not pay for libpq and the twenty libraries that it needs.
#ifndef KLING_GATEWAY_CPOSTGRESQL_H
#define KLING_GATEWAY_CPOSTGRESQL_H

typedef struct pg_conn PGconn;
typedef struct pg_result PGresult;

// The functions of libpq that return none of its enumerations: F(result, name, parameters).
#define LIBPQ_FUNCTIONS(F) \
    F(PGconn *, PQconnectdbParams, (const char *const *, const char *const *, int)) \
    F(void, PQfinish, (PGconn *)) \
    F(char *, PQerrorMessage, (const PGconn *)) \
    F(int, PQsocket, (const PGconn *)) \
    F(int, PQserverVersion, (const PGconn *)) \
    F(int, PQsetnonblocking, (PGconn *, int)) \
    F(int, PQenterPipelineMode, (PGconn *)) \
    F(int, PQpipelineSync, (PGconn *)) \
    F(int, PQsendFlushRequest, (PGconn *)) \
    F(int, PQflush, (PGconn *)) \
    F(int, PQconsumeInput, (PGconn *)) \
    F(int, PQisBusy, (PGconn *)) \
    F(int, PQsendPrepare, (PGconn *, const char *, const char *, int, const unsigned *)) \
    F(int, PQsendQueryPrepared, \
        (PGconn *, const char *, int, const char *const *, const int *, const int *, int)) \
    F(PGresult *, PQgetResult, (PGconn *)) \
    F(PGresult *, PQexec, (PGconn *, const char *)) \
    F(char *, PQresultErrorField, (const PGresult *, int)) \
    F(char *, PQresultErrorMessage, (const PGresult *)) \
    F(int, PQntuples, (const PGresult *)) \
    F(int, PQgetisnull, (const PGresult *, int, int)) \
    F(char *, PQgetvalue, (const PGresult *, int, int)) \
    F(int, PQgetlength, (const PGresult *, int, int)) \
    F(char *, PQcmdTuples, (PGresult *)) \
    F(void, PQclear, (PGresult *)) \
    F(void, PQfreemem, (void *))

// The functions that do, as integers.
#define LIBPQ_ENUM_FUNCTIONS(F) \
    F(int, PQstatus, (const PGconn *)) \
    F(int, PQresultStatus, (const PGresult *))

struct libpq {
#define LIBPQ_MEMBER(result, name, parameters) result(*name) parameters;
    LIBPQ_FUNCTIONS(LIBPQ_MEMBER)
    LIBPQ_ENUM_FUNCTIONS(LIBPQ_MEMBER)
#undef LIBPQ_MEMBER
};

// Values of libpq's enumerations, and codes of the fields of an error.
extern const int libpq_connection_ok;
extern const int libpq_command_ok;
extern const int libpq_tuples_ok;
extern const int libpq_pipeline_sync;
extern const int libpq_pipeline_aborted;
extern const int libpq_field_sqlstate;
extern const int libpq_field_constraint;

// Loads libpq once. Any thread may call this.
// Returns NULL if libpq cannot be loaded; `*error` then says why.
const struct libpq *libpq_load(const char **error);

// Has a connection's notices ignored, which libpq would print to standard error.
void libpq_ignore_notices(PGconn *connection);

// The next notification that a connection has received, which the caller frees with PQfreemem; NULL if there is none.
// `*channel` and `*payload` are parts of it.
void *libpq_next_notification(PGconn *connection, const char **channel, const char **payload);

#endif
