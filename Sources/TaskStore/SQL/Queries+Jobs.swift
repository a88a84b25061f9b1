/// The statements of jobs.
extension Query {
    /// The columns in the order in which ``JobRecord/init(row:)`` reads them.
    private static let jobColumns = """
        job, tenant, shape, request, callback_url, callback_ref, idempotency_key, account, created_at
        """

    var jobSQL: String? {
        switch self {
        case .insertJob:
            """
            INSERT INTO jobs (tenant, shape, request, callback_url, callback_ref, idempotency_key, account, created_at,
            fingerprint) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)
            """
        case .runningJobs:
            """
            SELECT count(DISTINCT job) FROM tasks INDEXED BY tasks_running_jobs WHERE tenant = ?1 AND job IS NOT NULL
            AND finished_at IS NULL AND (?2 IS NULL
            OR ?2 IN (account, (SELECT account FROM jobs WHERE jobs.job = tasks.job)))
            """
        case .jobByNumber: "SELECT \(Self.jobColumns) FROM jobs WHERE job = ?1"
        case .jobTasks:
            "SELECT \(Self.columns) FROM tasks INDEXED BY tasks_jobs WHERE job = ?1 ORDER BY job_index"
        case .jobList: jobList(of: Self.jobColumns)
        case .jobListBytes:
            """
            SELECT coalesce(sum(length(answer)), 0) FROM tasks INDEXED BY tasks_jobs WHERE job IS NOT NULL
            AND job IN (\(jobList(of: "job")))
            """
        case .latestJob:
            """
            SELECT \(Self.jobColumns) FROM jobs INDEXED BY jobs_fingerprints WHERE tenant = ?1 AND fingerprint = ?2
            AND created_at >= ?3 ORDER BY created_at DESC, job DESC LIMIT 1
            """
        case .leaveJob: "UPDATE tasks SET job = NULL, job_index = NULL WHERE job = ?1"
        case .deleteJob: "DELETE FROM jobs WHERE job = ?1"
        case .pruneJobs:
            // A trigger deletes the tasks with their job. A job whose tasks ended before ?1 was created before it too.
            """
            DELETE FROM jobs WHERE job IN (SELECT job FROM jobs INDEXED BY jobs_ages WHERE created_at < ?1
            AND NOT EXISTS (SELECT 1 FROM tasks INDEXED BY tasks_jobs WHERE tasks.job = jobs.job
            AND (finished_at IS NULL OR finished_at >= ?1)) ORDER BY created_at LIMIT ?2)
            """
        default: nil
        }
    }

    private func jobList(of columns: String) -> String {
        """
        SELECT \(columns) FROM jobs INDEXED BY jobs_tenants WHERE tenant = ?1 AND shape = ?2
        AND created_at > ?3 AND created_at < ?4 AND EXISTS
        (SELECT 1 FROM tasks INDEXED BY tasks_jobs WHERE tasks.job = jobs.job AND public_id IS NOT NULL)
        ORDER BY created_at DESC, job DESC LIMIT ?5
        """
    }
}
