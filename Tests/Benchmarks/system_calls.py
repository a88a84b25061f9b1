"""The system calls that a server makes for a request, by name: counted by perf, or else by strace."""

import os
import re
import select
import shutil
import signal
import subprocess

from stack import Failure, wait_until


def system_calls(server, load, seconds):
    """Returns the calls per request by name, or a text that says why they are unknown; and how they were counted."""
    reasons = []
    for tool, (count, how) in TOOLS.items():
        counted = count(server, load, seconds) if shutil.which(tool) else f"{tool} is not installed"
        if not isinstance(counted, str):
            calls, requests = counted
            return {"all": sum(calls.values()) / requests,
                    **{name: number / requests for name, number in calls.items()}}, how
        reasons.append(counted)
    hint = "" if os.geteuid() == 0 else "; try it as root"
    return "; ".join(reasons) + hint, ""


def by_perf(server, load, seconds):
    """Returns (calls by name, requests). The kernel counts from when perf confirms it until perf ends."""
    folder = os.path.dirname(server.log)
    control, answers, output = (os.path.join(folder, name) for name in ("perf-control", "perf-answers", "perf-counts"))
    for path in (control, answers, output):
        if os.path.exists(path):
            os.remove(path)
    os.mkfifo(control)
    os.mkfifo(answers)
    # Opened for reading and writing, so that neither side waits for the other.
    with open(control, "r+b", buffering=0) as commands, open(answers, "r+b", buffering=0) as replies:
        perf = subprocess.Popen(
            ["perf", "stat", "-x", ",", "-e", "syscalls:sys_enter_*", "-p", str(server.pid), "-o", output,
             "-D", "-1", "--control", f"fifo:{control},{answers}"], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
        commands.write(b"enable\n")
        wait_until(lambda: select.select([replies], [], [], 0)[0] or perf.poll() is not None, 20, "perf counts")
        requests = load.run(server, seconds).requests if perf.poll() is None else 0
        errors = interrupted(perf)
    calls = perf_calls(contents(output))
    return (calls, requests) if calls and requests else f"perf cannot count here ({errors})"


def perf_calls(text):
    """Parses lines such as `5133,,syscalls:sys_enter_pwrite64,...`."""
    return {name: int(number) for number, name in re.findall(r"^(\d+),[^,]*,syscalls:sys_enter_(\w+)", text, re.M)
            if int(number)}


def by_strace(server, load, seconds):
    """Returns (calls by name, requests). Each call stops the server twice."""
    output = os.path.join(os.path.dirname(server.log), "strace-counts")
    log = output + ".log"
    with open(log, "wb") as file:
        strace = subprocess.Popen(["strace", "-c", "-f", "-p", str(server.pid), "-o", output],
                                  stdout=subprocess.DEVNULL, stderr=file)
    wait_until(lambda: "attached" in contents(log) or strace.poll() is not None, 20, "strace is attached")
    requests = load.run(server, seconds).requests if strace.poll() is None else 0
    interrupted(strace)
    calls = strace_calls(contents(output))
    return (calls, requests) if calls and requests else f"strace cannot count here ({main_message(contents(log))})"


def strace_calls(text):
    """Parses lines such as ` 40.01    0.130000          25      5133           pwrite64`."""
    rows = re.findall(r"^ *[\d.]+ +[\d.]+ +\d+ +(\d+)(?: +\d+)? +(\w+)$", text, re.M)
    return {name: int(number) for number, name in rows if name != "total"}


def interrupted(tool):
    """Interrupts the tool, which then writes its counts, and returns its error message."""
    if tool.poll() is None:
        tool.send_signal(signal.SIGINT)
    try:
        _, errors = tool.communicate(timeout=20)
    except subprocess.TimeoutExpired:
        tool.kill()
        tool.wait()
        raise Failure(f"{tool.args[0]} did not end") from None
    return main_message((errors or b"").decode(errors="replace"))


def main_message(text):
    """Returns the most informative line of a tool's messages."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return next((line for line in lines if "permi" in line.lower()), "; ".join(lines[:2]))[:160]


def contents(path):
    if not os.path.exists(path):
        return ""
    with open(path, errors="replace") as file:
        return file.read()


TOOLS = {
    "perf": (by_perf, "counted by perf in the kernel"),
    "strace": (by_strace, "counted by strace, which slows the gateway: more creates share a wake-up and a commit"),
}
