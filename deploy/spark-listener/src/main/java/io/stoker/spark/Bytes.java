// Bytes: UTF-8 that grows at its end, and may be taken back to an earlier length. It must never hold more than it is told to.
package io.stoker.spark;

import java.nio.charset.StandardCharsets;
import java.util.Arrays;

final class Bytes {
  /** Thrown when there is no room left; without a stack, because it is no error. */
  static final class Full extends RuntimeException {
    private static final long serialVersionUID = 1;

    Full() {
      super("full", null, false, false);
    }
  }

  private final int most;
  private byte[] bytes;
  private int length;

  Bytes(int roughly, int most) {
    this.most = most;
    bytes = new byte[Math.max(16, Math.min(roughly, most))];
  }

  int length() {
    return length;
  }

  void cutTo(int before) {
    length = before;
  }

  void add(char ascii) {
    room(1);
    bytes[length++] = (byte) ascii;
  }

  /** A part of a text. A lone half of a pair becomes '?', as everywhere in Java. */
  void add(String text, int from, int end) {
    room(end - from);
    int i = from;
    for (char c; i < end && (c = text.charAt(i)) < 0x80; i++) bytes[length++] = (byte) c;
    if (i < end) {
      byte[] rest = text.substring(i, end).getBytes(StandardCharsets.UTF_8);
      room(rest.length);
      System.arraycopy(rest, 0, bytes, length, rest.length);
      length += rest.length;
    }
  }

  void add(String text) {
    add(text, 0, text.length());
  }

  private void room(int more) {
    if (more > most - length) throw new Full();
    if (length + more > bytes.length) bytes = Arrays.copyOf(bytes, (int) Math.min(most, Math.max(length + more, 2L * bytes.length)));
  }

  String part(int from) {
    return new String(bytes, from, length - from, StandardCharsets.ISO_8859_1);
  }

  byte[] whole() {
    return Arrays.copyOf(bytes, length);
  }
}
