package shapes;

import com.amazonaws.services.lambda.runtime.Context;
import com.amazonaws.services.lambda.runtime.RequestHandler;
import java.io.IOException;
import java.io.InputStream;
import java.net.HttpURLConnection;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.Map;

/** Asks a server by one of Java's clients, {@code way}, for {@code path} at {@code port}; answers milliseconds and what it met. */
public class Connecting implements RequestHandler<Map<String, Object>, String> {
    private static final HttpClient CLIENT = HttpClient.newHttpClient();

    @Override
    public String handleRequest(Map<String, Object> event, Context context) {
        int port = ((Number) event.get("port")).intValue();
        int patience = ((Number) event.get("patience_ms")).intValue();
        long started = System.nanoTime();
        String answer;
        try {
            answer = ask((String) event.get("way"), port, (String) event.get("path"), patience);
        } catch (IOException | InterruptedException error) {
            Throwable root = error;
            while (root.getCause() != null) {
                root = root.getCause();
            }
            answer = error.getClass().getSimpleName() + " " + root;
        }
        return (System.nanoTime() - started) / 1_000_000 + " " + answer;
    }

    private static String ask(String way, int port, String path, int patience)
            throws IOException, InterruptedException {
        URI uri = URI.create("http://127.0.0.1:" + port + path);
        switch (way) {
            case "client":
                HttpRequest request = HttpRequest.newBuilder(uri)
                        .timeout(Duration.ofMillis(patience))
                        .build();
                return CLIENT.send(request, HttpResponse.BodyHandlers.ofString())
                        .body();
            case "url":
                HttpURLConnection connection = (HttpURLConnection) uri.toURL().openConnection();
                connection.setConnectTimeout(patience);
                connection.setReadTimeout(patience);
                try (InputStream body = connection.getInputStream()) {
                    return new String(body.readAllBytes(), StandardCharsets.UTF_8);
                }
            case "channel":
                try (SocketChannel channel = SocketChannel.open(new InetSocketAddress("127.0.0.1", port))) {
                    return channel.getRemoteAddress().toString();
                }
            case "name":
                return InetAddress.getByName("nobody.example").toString();
            default:
                try (Socket socket = new Socket()) {
                    socket.connect(new InetSocketAddress("127.0.0.1", port), patience);
                    return socket.getRemoteSocketAddress().toString();
                }
        }
    }
}
