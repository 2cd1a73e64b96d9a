package io.lb4j.examples;

import io.lb4j.examples.control.ControlClient;
import io.lb4j.examples.report.Json;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.io.PrintWriter;
import java.nio.file.AccessDeniedException;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.LinkedHashMap;
import java.util.Map;

/** What {@code lb ctl} says to a balancer, and prints of its answers. Owned by one thread. */
final class CtlConversation {
  private static final int PAGE = 1000;

  private final Path socket;
  private final boolean json;
  private final PrintWriter out;
  private final PrintWriter err;

  /**
   * A conversation that begins with each request.
   *
   * @param socket of the balancer
   * @param json whether answers are printed as JSON
   * @param out takes answers
   * @param err takes errors
   */
  CtlConversation(Path socket, boolean json, PrintWriter out, PrintWriter err) {
    this.socket = socket;
    this.json = json;
    this.out = out;
    this.err = err;
  }

  /** What is done with a connection. */
  @FunctionalInterface
  private interface Talk {
    int with(ControlClient client) throws IOException, CommandException;
  }

  private int talk(Talk talk) throws CommandException {
    try (ControlClient client = ControlClient.connect(socket)) {
      return talk.with(client);
    } catch (IOException e) {
      err.println("lb ctl: " + words(e));
      return Lb.FAILED;
    }
  }

  /** What happened; of a file often no more is said than its name. */
  static String words(IOException e) {
    if (!(e instanceof FileSystemException refused) || refused.getReason() != null) {
      return String.valueOf(e.getMessage());
    }
    String reason =
        e instanceof NoSuchFileException
            ? "no such file or directory"
            : e instanceof AccessDeniedException ? "permission denied" : e.getClass().getSimpleName();
    return refused.getFile() + ": " + reason;
  }

  private Map<String, Object> request(String command, Map<String, Object> arguments) {
    Map<String, Object> request = new LinkedHashMap<>();
    request.put("command", command);
    request.putAll(arguments);
    request.put("as", json ? "json" : "text");
    return request;
  }

  /** Sends a request and prints the answer. */
  int ask(String command, Map<String, Object> arguments) throws CommandException {
    return talk(client -> {
      client.send(request(command, arguments));
      return print(client.receive());
    });
  }

  /** Prints events until the balancer ends, or this process, or nobody reads what is printed any more. */
  int follow() throws CommandException {
    return talk(client -> {
      client.send(request("events", Map.of("follow", true)));
      int exit = print(client.receive());
      while (exit == Lb.OK && !out.checkError()) {
        Map<String, Object> event = client.receive();
        if (event.get("missed") instanceof Long missed && missed > 0) {
          err.println("lb ctl: " + missed + " events were missed here");
        }
        exit = print(event);
      }
      return exit;
    });
  }

  /** Asks for one page after the other. */
  int pages(String command, Map<String, Object> arguments, int limit) throws CommandException {
    return talk(client -> {
      Map<String, Object> request = request(command, arguments);
      for (int left = limit; ; left -= PAGE) {
        request.put("limit", Math.max(1, Math.min(PAGE, left)));
        client.send(request);
        Map<String, Object> page = client.receive();
        int exit = print(page);
        if (exit != Lb.OK || !page.containsKey("next") || left <= PAGE || out.checkError()) {
          return exit;
        }
        request.put("position", page.get("next"));
      }
    });
  }

  /** Writes what the balancer sends; the file is whole, or as it was. */
  int download(String command, Map<String, Object> arguments, Path file) throws CommandException {
    Path part = file.resolveSibling(file.getFileName() + ".part");
    return talk(client -> {
      Files.deleteIfExists(part);
      Files.createFile(part, PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rw-------")));
      try {
        client.send(request(command, arguments));
        Map<String, Object> reply = receive(client, part);
        if (isOk(reply)) { // nothing is told to be done before it is
          Files.move(part, file, StandardCopyOption.ATOMIC_MOVE);
        }
        return print(reply);
      } finally {
        Files.deleteIfExists(part);
      }
    });
  }

  private static Map<String, Object> receive(ControlClient client, Path part) throws IOException {
    try (OutputStream bytes = Files.newOutputStream(part)) {
      return client.receive(bytes);
    }
  }

  /** Sends a file when the balancer asks for it. */
  int upload(String command, Path file) throws CommandException {
    return talk(client -> {
      try (InputStream bytes = Files.newInputStream(file)) {
        client.send(request(command, Map.of()));
        Map<String, Object> reply = client.receive();
        return print(reply.containsKey("upload") ? client.send(bytes) : reply);
      }
    });
  }

  private static boolean isOk(Map<String, Object> reply) {
    return Boolean.TRUE.equals(reply.get("ok"));
  }

  private int print(Map<String, Object> reply) {
    if (!isOk(reply)) {
      return fail(reply);
    }
    if (json) {
      out.println(Json.line(reply.get("result")));
    } else {
      out.print(reply.get("text"));
    }
    out.flush();
    return Lb.OK;
  }

  private int fail(Map<String, Object> reply) {
    if (json) {
      out.println(Json.line(reply));
      out.flush();
    }
    String.valueOf(reply.get("error")).lines().forEach(line -> err.println("lb ctl: " + line));
    return reply.get("exit") instanceof Long exit && exit == Lb.USAGE ? Lb.USAGE : Lb.FAILED;
  }
}
