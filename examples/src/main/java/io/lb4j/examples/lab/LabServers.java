package io.lb4j.examples.lab;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Collectors;
import java.util.stream.IntStream;

/** Starts what a real server offers: web on {@link #WEB_PORTS}, UDP, iperf3. Owned by the building thread. */
final class LabServers {
  /** The web server's ports, so that one address can have several services. */
  static final List<Integer> WEB_PORTS = IntStream.rangeClosed(80, 85).boxed().toList();

  /** Where nginx expects the PROXY protocol, and answers with the address that it is told. */
  static final int PROXY_PORT = 86;

  static final int UDP_PORT = 7000;
  static final int DOWNLOAD_BYTES = 1_048_576;

  private static final Duration PATIENCE = Duration.ofSeconds(15);

  private final Lab lab;

  LabServers(Lab lab) {
    this.lab = lab;
  }

  /** Starts a real server; the answer waits until it is ready. */
  Runnable start(int number) {
    String host = "s" + number;
    boolean nginx = Lab.installed("nginx");
    List<String> addresses = new ArrayList<>(List.of(Lab.server4(number), Lab.server6(number)));
    if (!lab.topology().isGateway()) {
      addresses.addAll(List.of(lab.topology().vip4(), lab.topology().vip6()));
    }
    if (nginx) {
      startNginx(host);
    }
    if (Lab.installed("iperf3")) {
      lab.spawn(host, "iperf3", List.of("iperf3", "-s", "-p", "5201"));
    }
    return start(host, nginx ? "udp" : "all", addresses);
  }

  /** Starts the same on the host beyond the clients' router, in Java. */
  Runnable startOutside() {
    return start("out", "all", List.of(Lab.OUTSIDE4, Lab.OUTSIDE6));
  }

  private Runnable start(String host, String what, List<String> addresses) {
    List<String> arguments = new ArrayList<>(List.of(host, Integer.toString(UDP_PORT), what));
    arguments.addAll(addresses);
    LabProcess server = lab.spawnJava(host, "server", LabServer.class, arguments.toArray(String[]::new));
    return () -> {
      if (!server.awaitOutput("ready", PATIENCE)) {
        throw new IllegalStateException("server " + host + " did not start: " + server.output());
      }
    };
  }

  /** Starts the web server of a host, where none runs. */
  void startNginx(String host) {
    Path home = lab.directory().resolve(host);
    try {
      Files.createDirectories(home.resolve("www"));
      byte[] content = new byte[DOWNLOAD_BYTES];
      Arrays.fill(content, (byte) host.charAt(1));
      Files.write(home.resolve("www/1m"), content);
      Files.writeString(home.resolve("nginx.conf"), nginxConfiguration(host, home));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    lab.spawn(host, "nginx", List.of("nginx", "-p", home.toString(), "-c", home.resolve("nginx.conf").toString(),
        "-e", home.resolve("error.log").toString()));
  }

  private static String nginxConfiguration(String host, Path home) {
    String listen = WEB_PORTS.stream()
        .map(port -> "listen 0.0.0.0:" + port + " backlog=4096; listen [::]:" + port + " ipv6only=on backlog=4096;")
        .collect(Collectors.joining("\n    "));
    String temporary = Arrays.stream(new String[] {"client_body", "proxy", "fastcgi", "uwsgi", "scgi"})
        .map(kind -> kind + "_temp_path " + home.resolve(kind) + ";")
        .collect(Collectors.joining("\n  "));
    return """
        user root; daemon off; master_process off; pid @HOME@/nginx.pid; error_log @HOME@/error.log;
        events { worker_connections 8192; multi_accept on; }
        http {
          access_log off; keepalive_timeout 600; keepalive_requests 1000000000;
          @TEMPORARY@
          server {
            @LISTEN@
            root @HOME@/www; default_type text/plain;
            location = / { return 200 "@HOST@ $remote_addr $server_addr\\n"; }
          }
          server {
            listen 0.0.0.0:@PROXY@ proxy_protocol; listen [::]:@PROXY@ ipv6only=on proxy_protocol;
            root @HOME@/www; default_type text/plain;
            location = / { return 200 "@HOST@ $proxy_protocol_addr $server_addr\\n"; }
          }
        }
        """
        .replace("@HOME@", home.toString())
        .replace("@TEMPORARY@", temporary)
        .replace("@LISTEN@", listen)
        .replace("@PROXY@", Integer.toString(PROXY_PORT))
        .replace("@HOST@", host);
  }
}
