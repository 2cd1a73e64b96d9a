package io.lb4j.examples.config;

import io.lb4j.settings.ConfigurationError;
import java.util.List;

/** What people ask of a load balancer and layer 4 cannot do: keys and values by which they do. */
final class Wishes {
  /** Keys of a service that are about what its connections carry. */
  static final String[] LAYER_7_KEYS = {
    "caching", "cache", "compression", "gzip", "tls", "ssl", "ssl-offload", "certificate", "sni", "headers", "rewrite",
    "redirect", "path", "paths", "url", "hosts", "cookie", "waf"
  };

  /** Why they are refused. */
  static final String LAYER_7 = "needs what connections carry, and layer 4 sees addresses and ports alone";

  /** Keys of persistence by something else than the client's address. */
  static final String[] PERSISTENCE_KEYS = {
    "type", "cookie", "cookie-name", "header", "session", "session-id", "ssl-session-id", "url", "rdp-cookie"
  };

  /** Why they are refused. */
  static final String PERSISTENCE = "layer 4 knows a client by its address alone, with or without TLS";

  private static final List<String> MODES =
      List.of("http", "https", "http2", "layer7", "layer-7", "l7", "proxy", "tls", "ssl", "tls-offload", "ssl-offload");
  private static final List<String> PROTOCOLS =
      List.of("http", "https", "http2", "http3", "tls", "ssl", "websocket", "ws", "wss", "grpc", "ftp", "smtp");

  private Wishes() {}

  /** Refuses a mode that only a proxy has. */
  static void checkMode(Value value) {
    refuse(value, MODES);
  }

  /** Refuses a protocol above TCP and UDP. */
  static void checkProtocol(Value value) {
    refuse(value, PROTOCOLS);
  }

  private static void refuse(Value value, List<String> words) {
    if (words.contains(value.text())) {
      throw value.refuse(ConfigurationError.LAYER_7, LAYER_7);
    }
  }

  /** Refuses persistence that is named by a word: there is one kind. */
  static void checkPersistence(Value value) {
    value.requireValue();
    if (!value.isMapping()) {
      throw value.refuse(ConfigurationError.PERSISTENCE_NOT_BY_ADDRESS, PERSISTENCE);
    }
  }
}
