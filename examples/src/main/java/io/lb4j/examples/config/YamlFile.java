package io.lb4j.examples.config;

import io.lb4j.settings.ConfigurationError;
import java.io.IOException;
import java.io.InputStream;
import java.io.StringReader;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.nio.file.AccessDeniedException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import org.yaml.snakeyaml.LoaderOptions;
import org.yaml.snakeyaml.Yaml;
import org.yaml.snakeyaml.error.Mark;
import org.yaml.snakeyaml.error.MarkedYAMLException;
import org.yaml.snakeyaml.error.YAMLException;
import org.yaml.snakeyaml.nodes.Node;
import org.yaml.snakeyaml.reader.ReaderException;

/** Reads a YAML file to nodes, which know their lines. Size, depth and aliases are bounded. */
final class YamlFile {
  /** The largest file that is read. */
  static final int MAX_BYTES = 4 << 20;

  private static final int MAX_DEPTH = 20;
  private static final int MAX_ALIASES = 50;

  private YamlFile() {}

  /** The file's one document. */
  static Node root(Path file) throws ConfigurationFileException {
    return root(file.toString(), text(file));
  }

  /** The one document of a text that stands in this file. */
  static Node root(String file, String text) throws ConfigurationFileException {
    try {
      Node root = new Yaml(options()).compose(new StringReader(text));
      if (root == null) {
        throw failure(file, 1, "missing", "the file is empty", "declare interfaces and services");
      }
      return root;
    } catch (MarkedYAMLException e) {
      Mark mark = e.getProblemMark() != null ? e.getProblemMark() : e.getContextMark();
      throw syntax(file, mark == null ? 0 : mark.getLine() + 1, e.getProblem());
    } catch (ReaderException e) {
      String character = String.format(Locale.ROOT, "U+%04X", e.getCodePoint());
      throw syntax(file, lineOf(e.getCodePoint(), text), "the character " + character + " is not allowed");
    } catch (YAMLException e) {
      throw syntax(file, 0, e.getMessage());
    }
  }

  /** The line of a character's first place. */
  private static int lineOf(int character, String text) {
    return 1 + (int) text.substring(0, Math.max(text.indexOf(character), 0)).chars().filter(c -> c == '\n').count();
  }

  private static LoaderOptions options() {
    LoaderOptions options = new LoaderOptions();
    options.setMaxAliasesForCollections(MAX_ALIASES);
    options.setNestingDepthLimit(MAX_DEPTH);
    options.setCodePointLimit(MAX_BYTES);
    options.setAllowRecursiveKeys(false);
    options.setMergeOnCompose(false);
    return options;
  }

  private static String text(Path file) throws ConfigurationFileException {
    try (InputStream in = Files.newInputStream(file)) {
      byte[] bytes = in.readNBytes(MAX_BYTES + 1);
      if (bytes.length > MAX_BYTES) {
        throw failure(
            file.toString(), 0, "out-of-range", "the file is larger than " + MAX_BYTES + " bytes", "make it smaller");
      }
      return StandardCharsets.UTF_8.newDecoder().decode(ByteBuffer.wrap(bytes)).toString();
    } catch (NoSuchFileException e) {
      throw unreadable(file, "no such file");
    } catch (AccessDeniedException e) {
      throw unreadable(file, "permission denied");
    } catch (CharacterCodingException e) {
      throw failure(file.toString(), 0, "not-readable", "the file is not UTF-8", "write it in UTF-8");
    } catch (IOException e) {
      throw unreadable(file, "cannot be read: " + e.getMessage());
    }
  }

  private static ConfigurationFileException unreadable(Path file, String reason) {
    return ConfigurationFileException.unreadable(
        new Finding(file.toString(), 0, "not-readable", "", reason, "name a file that can be read"));
  }

  private static ConfigurationFileException syntax(String file, int line, String problem) {
    String reason = Findings.words("not YAML: " + String.valueOf(problem).replaceAll("\\s+", " "));
    return failure(
        file, line, ConfigurationError.YAML_SYNTAX.code(), reason, ConfigurationError.YAML_SYNTAX.remedy());
  }

  private static ConfigurationFileException failure(String file, int line, String code, String reason, String remedy) {
    return ConfigurationFileException.of(
        List.of(new Finding(file, line, code, "", reason, remedy)));
  }
}
