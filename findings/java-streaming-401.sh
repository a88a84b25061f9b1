#!/usr/bin/env bash
# Java's HttpURLConnection loses the body of a 401 if the request was streamed.
#
# setFixedLengthStreamingMode keeps HttpURLConnection from repeating a POST. One would expect it to change nothing else.
# But it answers a 401 with an HttpRetryException of its own, "cannot retry due to server authentication, in streaming
# mode", although no WWW-Authenticate asks for that: the status can be read, and getErrorStream has nothing. What the
# server says about the key is lost. The body of a 403 can be read, and java.net.http reads both.
# Recorded with OpenJDK 17.
. "$(dirname "$0")/lib/common.sh"
need java openjdk-17-jdk-headless
need python3 python3
java -version 2>&1 | head -n 1

cat >"$folder/Post.java" <<'JAVA'
import java.io.*;
import java.net.*;
import java.net.http.*;

public class Post {
    static String read(InputStream stream) throws IOException {
        return stream == null ? "nothing" : new String(stream.readAllBytes());
    }

    static String classic(String url, boolean isStreamed) throws Exception {
        var connection = (HttpURLConnection) new URL(url).openConnection();
        connection.setDoOutput(true);
        if (isStreamed) connection.setFixedLengthStreamingMode(3);
        connection.getOutputStream().write("x=1".getBytes());
        String status;
        try {
            status = "" + connection.getResponseCode();
        } catch (IOException error) {
            status = error.getClass().getSimpleName();
        }
        return status + ", " + read(connection.getErrorStream());
    }

    static String modern(String url) throws Exception {
        var request = HttpRequest.newBuilder(URI.create(url)).POST(HttpRequest.BodyPublishers.ofString("x=1")).build();
        try {
            var answer = HttpClient.newHttpClient().send(request, HttpResponse.BodyHandlers.ofString());
            return answer.statusCode() + ", " + answer.body();
        } catch (IOException error) {
            return error.getClass().getSimpleName() + ": " + error.getMessage();
        }
    }

    public static void main(String[] arguments) throws Exception {
        System.out.println(arguments[0].equals("modern") ? modern(arguments[1])
            : classic(arguments[1], arguments[0].equals("streamed")));
    }
}
JAVA

python "$folder" <<'PYTHON'
import subprocess, sys
from findings import Server, answer, check, conclude

def seen(status, how):
    server = Server(lambda request: answer(status, body=b"The key is unknown."))
    run = subprocess.run(["java", f"{sys.argv[1]}/Post.java", how, server.url], capture_output=True, text=True)
    return run.stdout.strip()

for status in (401, 403):
    told = f"{status}, The key is unknown."
    check(f"{status}, HttpURLConnection, buffered", seen(status, "buffered"), told)
    check(f"{status}, HttpURLConnection, streamed", seen(status, "streamed"),
          "401, nothing" if status == 401 else told)
    check(f"{status}, java.net.http", seen(status, "modern"), told)
conclude()
PYTHON
conclude
