import java.io.InputStream;
import java.net.HttpURLConnection;
import java.net.Proxy;
import java.net.URL;

public class Client {
    private static HttpURLConnection open(String path) throws Exception {
        URL url = new URL(System.getenv("GATEWAY") + path);
        HttpURLConnection connection = (HttpURLConnection) url.openConnection(Proxy.NO_PROXY);
        connection.setRequestProperty("Authorization", "Bearer " + System.getenv("KEY"));
        connection.setReadTimeout(60_000);
        return connection;
    }

    private static byte[] read(HttpURLConnection connection) throws Exception {
        boolean isGood = connection.getResponseCode() < 400;
        try (InputStream body = isGood ? connection.getInputStream() : connection.getErrorStream()) {
            return body.readAllBytes();
        }
    }

    public static void main(String[] arguments) throws Exception {
        read(open("/v1/models"));
        HttpURLConnection create = open(System.getenv("CREATE"));
        create.setRequestMethod("POST");
        create.setDoOutput(true);
        create.setRequestProperty("Content-Type", "application/json");
        create.getOutputStream().write(System.getenv("BODY").getBytes("UTF-8"));
        System.out.write(read(create));
        System.out.flush();
    }
}
