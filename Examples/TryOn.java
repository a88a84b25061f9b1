import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse.BodyHandlers;
import java.time.Duration;
import java.util.UUID;
import java.util.regex.Pattern;

/** Creates a try-on task, waits for it and prints the picture's URL. */
public class TryOn {
    private static final String PATH = System.getenv("GATEWAY_URL") + "/v1/images/kolors-virtual-try-on";
    private static final HttpClient CLIENT = HttpClient.newHttpClient();

    private static HttpRequest.Builder request(String url) {
        return HttpRequest.newBuilder(URI.create(url)).timeout(Duration.ofSeconds(90))
            .header("Authorization", "Bearer " + System.getenv("GATEWAY_KEY"));
    }

    private static String send(HttpRequest.Builder request) throws Exception {
        var answer = CLIENT.send(request.build(), BodyHandlers.ofString());
        if (answer.statusCode() < 400) return answer.body();
        throw new Exception("HTTP " + answer.statusCode() + ": " + member("message", answer.body()));
    }

    /** The first string of that name in an answer. With a JSON library at hand, use that. */
    private static String member(String name, String json) {
        var found = Pattern.compile("\"" + name + "\": *\"((?:[^\"\\\\]|\\\\.)*)\"").matcher(json);
        return found.find() ? found.group(1) : "";
    }

    public static void main(String[] arguments) throws Exception {
        var pictures = """
            {"human_image": "%s", "cloth_image": "%s"}""".formatted(System.getenv("PERSON"), System.getenv("GARMENT"));
        var answer = send(request(PATH).header("Content-Type", "application/json")
            .header("Idempotency-Key", UUID.randomUUID().toString()).POST(BodyPublishers.ofString(pictures)));
        var task = member("task_id", answer);
        for (int second = 0; second < 120; second++) {
            switch (member("task_status", answer)) {
                case "succeed" -> {
                    System.out.println(member("url", answer));
                    return;
                }
                case "failed" -> throw new Exception("the task failed: " + member("task_status_msg", answer));
                default -> Thread.sleep(1000);
            }
            answer = send(request(PATH + "/" + task));
        }
        throw new Exception("task " + task + " is not finished yet");
    }
}
