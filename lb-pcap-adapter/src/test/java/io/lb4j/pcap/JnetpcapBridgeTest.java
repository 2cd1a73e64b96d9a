package io.lb4j.pcap;

import static org.assertj.core.api.Assertions.assertThat;

import io.lb4j.frame.FrameBatch;
import io.lb4j.frame.FrameMarks;
import io.lb4j.port.PortQueue;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import java.io.StringWriter;
import java.lang.reflect.Constructor;
import java.lang.reflect.Method;
import java.net.URL;
import java.net.URLClassLoader;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import javax.tools.JavaCompiler;
import javax.tools.ToolProvider;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * The bridge that the README shows to users of jnetpcap, compiled and run as it stands there, against a stand-in that
 * has the signatures of jnetpcap 2.3.1 which the bridge uses: the artifact itself is not to be had.
 */
class JnetpcapBridgeTest {
  private static final Pattern BRIDGE =
      Pattern.compile("```java\\n(final class JnetpcapQueue implements PortQueue \\{.*?\\n}\\n)```", Pattern.DOTALL);
  private static final String IMPORTS =
      """
      package bridge;
      import io.lb4j.frame.*;
      import io.lb4j.port.*;
      import io.netty.buffer.*;
      import java.lang.foreign.*;
      import java.util.concurrent.TimeoutException;
      import java.util.concurrent.locks.LockSupport;
      import org.jnetpcap.*;
      import org.jnetpcap.util.PcapPacketRef;

      """;
  private static final String PCAP =
      """
      package org.jnetpcap;
      import java.lang.foreign.*;
      import java.util.ArrayDeque;
      import java.util.concurrent.TimeoutException;
      import org.jnetpcap.util.PcapPacketRef;

      public class Pcap {
        private final ArrayDeque<PcapPacketRef> waiting = new ArrayDeque<>();
        private boolean gone;

        public void arrive(byte[] captured, int wire) {
          MemorySegment header = Arena.ofAuto().allocate(24, 8);
          header.set(ValueLayout.JAVA_INT, 16, captured.length);
          header.set(ValueLayout.JAVA_INT, 20, wire);
          MemorySegment data = Arena.global().allocate(Math.max(1, captured.length));
          MemorySegment.copy(captured, 0, data, ValueLayout.JAVA_BYTE, 0, captured.length);
          waiting.add(new PcapPacketRef(header, data.asSlice(0, 0))); // as libpcap gives it: an address
        }

        public void remove() {
          gone = true;
        }

        public PcapPacketRef nextEx() throws PcapException, TimeoutException {
          if (gone) {
            throw new PcapException("the interface disappeared");
          }
          if (waiting.isEmpty()) {
            throw new TimeoutException();
          }
          return waiting.poll();
        }
      }
      """;
  private static final String REFERENCE =
      """
      package org.jnetpcap.util;
      public record PcapPacketRef(java.lang.foreign.MemorySegment header, java.lang.foreign.MemorySegment data) {}
      """;
  private static final String EXCEPTION =
      """
      package org.jnetpcap;
      public class PcapException extends Exception {
        public PcapException(String message) {
          super(message);
        }
      }
      """;

  @TempDir private Path directory;

  /** What the bridge sends through. */
  private static final class Sender implements PortQueue {
    final List<Integer> sent = new ArrayList<>();

    @Override
    public int receive(FrameBatch batch, int ingress) {
      return 0;
    }

    @Override
    public void release() {}

    @Override
    public boolean transmit(ByteBuf buffer, int start, int length, long marks) {
      sent.add(length);
      return true;
    }

    @Override
    public int flush() {
      return 0;
    }

    @Override
    public void await(long timeoutNs) {}
  }

  private static String bridge() throws Exception {
    Matcher found = BRIDGE.matcher(Files.readString(Path.of("README.md")));
    assertThat(found.find()).as("the README has the bridge").isTrue();
    return found.group(1);
  }

  private Path source(String name, String text) throws Exception {
    Path file = directory.resolve(name);
    Files.createDirectories(file.getParent());
    return Files.writeString(file, text);
  }

  private ClassLoader compiled() throws Exception {
    Path[] sources = {
      source("bridge/JnetpcapQueue.java", IMPORTS + bridge()),
      source("org/jnetpcap/Pcap.java", PCAP),
      source("org/jnetpcap/PcapException.java", EXCEPTION),
      source("org/jnetpcap/util/PcapPacketRef.java", REFERENCE)
    };
    String path =
        Stream.of("jdk.module.path", "java.class.path")
            .map(System::getProperty)
            .filter(Objects::nonNull)
            .collect(Collectors.joining(System.getProperty("path.separator")));
    JavaCompiler compiler = ToolProvider.getSystemJavaCompiler();
    StringWriter messages = new StringWriter();
    boolean compiled =
        compiler
            .getTask(
                messages,
                null,
                null,
                List.of("-proc:none", "-cp", path, "-d", directory.toString()),
                null,
                compiler.getStandardFileManager(null, null, null).getJavaFileObjects(sources))
            .call();
    assertThat(compiled).as(messages.toString()).isTrue();
    return new URLClassLoader(new URL[] {directory.toUri().toURL()}, getClass().getClassLoader());
  }

  @Test
  void shouldReceiveAndSendAsTheReadmeSays() throws Exception {
    ClassLoader loader = compiled();
    Object pcap = loader.loadClass("org.jnetpcap.Pcap").getConstructor().newInstance();
    Method arrive = pcap.getClass().getMethod("arrive", byte[].class, int.class);
    Sender sender = new Sender();
    Constructor<?> constructor =
        loader.loadClass("bridge.JnetpcapQueue").getDeclaredConstructor(pcap.getClass(), PortQueue.class);
    constructor.setAccessible(true);
    PortQueue queue = (PortQueue) constructor.newInstance(pcap, sender);

    byte[] whole = {1, 2, 3, 4};
    byte[] cut = {5, 6, 7};
    arrive.invoke(pcap, whole, 4);
    arrive.invoke(pcap, cut, 1000);
    FrameBatch batch = new FrameBatch();
    assertThat(queue.receive(batch, 1)).isEqualTo(2);
    assertThat(bytes(batch, 0)).isEqualTo(whole);
    assertThat(batch.get(0).marks()).isEqualTo(FrameMarks.NONE);
    assertThat(bytes(batch, 1)).isEqualTo(cut);
    assertThat(batch.get(1).marks()).isEqualTo(FrameMarks.TRUNCATED);
    assertThat(batch.get(1).ingress()).isEqualTo(1);
    queue.release();
    batch.clear();
    assertThat(queue.receive(batch, 1)).isZero();

    assertThat(queue.transmit(Unpooled.wrappedBuffer(whole), 0, 4, FrameMarks.NONE)).isTrue();
    assertThat(sender.sent).containsExactly(4);

    pcap.getClass().getMethod("remove").invoke(pcap);
    assertThat(queue.receive(batch, 1)).isZero();
  }

  private static byte[] bytes(FrameBatch batch, int i) {
    byte[] bytes = new byte[batch.get(i).length()];
    batch.get(i).buffer().getBytes(batch.get(i).start(), bytes);
    return bytes;
  }
}
