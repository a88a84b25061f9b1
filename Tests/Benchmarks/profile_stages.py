"""Where the CPU time of a create goes, by the stage of its life: the samples' stacks, from the inside out."""

import collections
import shutil
import subprocess

# A sample belongs to the first stage that one of its frames names, from the inside out.
STAGES = [
    ("upstream", ("HTTPClient", "HTTP1", "CurlUpstream", "HTTPUpstream", "KlingCaller", "KlingCall", "UpstreamBodies",
                  "Dialect", "KlingAnswer", "CreateVerdict", "CreateOutcome", "AnswerParser", "BearerToken",
                  "libcurl")),
    ("store", ("libsqlite3", "TaskStore", "SQLite", "Work.perform", "WorkQueue", "TaskRows", "Redo", "LoggedCommits",
               "TaskLedger", "NewTask", "TaskLife", "TaskRecord")),
    ("answer", ("AnswerWriter", "Connection.answer", "ResponseHead", "Output", "TaskView", "Envelope", "AccessLog",
                "DateLine", "ClientExchange", "Receipts")),
    ("parse", ("HeadReader", "HeadParser", "readHeads", "BodyIntake", "BodyFramer", "RequestBody", "HTTPHeaders",
               "TryOnRequest", "JSONScanner", "JSONObject", "JSONText", "ImageHeader", "PictureLink", "GivenPicture")),
    ("key and rules", ("Admission", "Access.", "RateLimiter", "RouteMatch", "Route.", "Principal", "Placement",
                       "AccountPool", "Accounts", "RunningTasks", "Resend", "Idempot", "LinkPolicy", "TryOnCreates",
                       "CreateSender", "CreateAttempts", "Watch")),
    ("loop and tasks", ("EventLoop", "TaskPool", "libevent", "swift_task", "swift_job")),
]


def table(samples, requests_cpu):
    """Yields lines: microseconds of each stage if a create costs `requests_cpu`. A sample is (thread, frames), and a
    frame (symbol, image)."""
    names = demangled({symbol for _, frames in samples for symbol, _ in frames})
    counts = collections.Counter(stage(thread, frames, names) for thread, frames in samples)
    for name, count in counts.most_common():
        yield f"  {name:<34} {100 * count / len(samples):6.1f} %  {requests_cpu * count / len(samples):7.1f} us"


def stage(thread, frames, names):
    if thread.startswith("store-"):
        return "store, its own threads"
    for symbol, image in frames:
        text = f"{names.get(symbol, symbol)} {image}"
        for name, marks in STAGES:
            if any(mark in text for mark in marks):
                return name
    return "other"


def demangled(symbols):
    """Returns a dictionary of readable names; an empty one if there is no swift-demangle."""
    if not shutil.which("swift-demangle"):
        return {}
    ordered = sorted(symbols)
    done = subprocess.run(["swift-demangle", "--simplified"], input="\n".join(ordered), capture_output=True, text=True,
                          timeout=60)
    return dict(zip(ordered, done.stdout.splitlines()))
