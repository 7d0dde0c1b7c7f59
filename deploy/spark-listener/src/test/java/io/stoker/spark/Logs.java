// Logs: real event logs, for tests: each line an event as Spark wrote it.
package io.stoker.spark;

import com.github.luben.zstd.ZstdInputStream;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.Paths;
import java.util.List;
import java.util.stream.Collectors;
import java.util.stream.Stream;

final class Logs {
  private static final Path FOLDER = Paths.get("../../tests/fixtures/logs");

  private Logs() {}

  static List<String> lines(String log) throws IOException {
    try (Stream<Path> files = Files.list(FOLDER.resolve(log))) {
      Path file = files.filter(f -> f.toString().endsWith(".zst")).findFirst().get();
      try (BufferedReader in = new BufferedReader(
          new InputStreamReader(new ZstdInputStream(Files.newInputStream(file)), StandardCharsets.UTF_8))) {
        return in.lines().collect(Collectors.toList());
      }
    }
  }
}
