#!/usr/bin/env bash
# Java's HttpURLConnection repeats a POST on its own when a connection, even a new one, breaks before the answer.
#
# One would expect that a POST is sent once, and that a broken connection is an IOException. But the request is kept and
# sent once more on another connection; the program sees one successful exchange. Streaming a body of known length
# (setFixedLengthStreamingMode) prevents it, and so does the system property sun.net.http.retryPost=false.
# java.net.http.HttpClient does not repeat a POST.
# Recorded with OpenJDK 17.
. "$(dirname "$0")/lib/common.sh"
need java openjdk-17-jdk-headless
java -version 2>&1 | head -n 1

cat >"$folder/Post.java" <<'JAVA'
import java.net.*;
import java.net.http.*;

public class Post {
    static final URI SERVER = URI.create(System.getenv("URL"));

    static int classic(boolean isStreamed) throws Exception {
        HttpURLConnection connection = (HttpURLConnection) SERVER.toURL().openConnection();
        connection.setRequestMethod("POST");
        connection.setDoOutput(true);
        if (isStreamed) connection.setFixedLengthStreamingMode(3);
        connection.getOutputStream().write("x=1".getBytes());
        return connection.getResponseCode();
    }

    static int modern() throws Exception {
        HttpRequest request = HttpRequest.newBuilder(SERVER).POST(HttpRequest.BodyPublishers.ofString("x=1")).build();
        return HttpClient.newHttpClient().send(request, HttpResponse.BodyHandlers.ofString()).statusCode();
    }

    public static void main(String[] arguments) throws Exception {
        System.out.println(arguments[0].equals("modern") ? modern() : classic(arguments[0].equals("streamed")));
    }
}
JAVA

for how in fin rst; do
    echo "the connection ends by $how:"
    run $how 1 java "$folder/Post.java" classic
    expect "  HttpURLConnection, first connection" 2
    run $how 1 java "$folder/Post.java" streamed
    expect "  HttpURLConnection, body streamed" 1
    run $how 1 java -Dsun.net.http.retryPost=false "$folder/Post.java" classic
    expect "  HttpURLConnection, sun.net.http.retryPost=false" 1
    run $how 1 java "$folder/Post.java" modern
    expect "  java.net.http.HttpClient" 1
done
conclude
