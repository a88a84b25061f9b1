# Kling Gateway behind Varnish: copy to /etc/varnish/default.vcl. Varnish does not support TLS: put hitch or another TLS
# terminator in front of it.
vcl 4.1;

backend default {
    .host = "127.0.0.1";
    .port = "8080";
    # Longer than openai.wait (300s): images.edit answers when the picture is ready. The default is 60s.
    .first_byte_timeout = 330s;
}

sub vcl_recv {
    # Varnish has appended the client's address to what the client sent. This keeps only the address.
    set req.http.X-Forwarded-For = client.ip;
    # Use "https" behind a TLS terminator.
    set req.http.X-Forwarded-Proto = "http";
    # Disables caching. Without this line, Varnish caches answers to GET for two minutes if the key is in X-API-KEY.
    return (pass);
}
