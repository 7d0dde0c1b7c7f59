// Json: where the values of a JSON text begin and end, and strings in and out of it. For text that Spark or a listener's own hand
// wrote: what is not JSON is refused with an exception. Nothing here recurses, so no depth of nesting costs a stack.
package io.stoker.spark;

final class Json {
  private Json() {}

  static int skipBlank(String t, int i) {
    while (i < t.length() && t.charAt(i) <= ' ') i++;
    return i;
  }

  static char at(String t, int i) {
    if (i >= t.length()) throw new IllegalArgumentException("JSON ends too early");
    return t.charAt(i);
  }

  /** Behind the string that opens at i. */
  static int stringEnd(String t, int i) {
    if (at(t, i) != '"') throw new IllegalArgumentException("no JSON string at " + i);
    for (int k = i + 1; ; k++) {
      char c = at(t, k);
      if (c == '"') return k + 1;
      if (c == '\\') k++;
    }
  }

  /** Behind the value that begins at i. */
  static int valueEnd(String t, int i) {
    int depth = 0;
    int k = i;
    do {
      char c = at(t, k);
      if (c == '"') {
        k = stringEnd(t, k);
      } else if (c == '{' || c == '[') {
        depth++;
        k++;
      } else if (c == '}' || c == ']') {
        depth--;
        k++;
      } else if (depth > 0) {
        k++;
      } else {
        k = scalarEnd(t, k);
      }
    } while (depth > 0);
    return k;
  }

  private static int scalarEnd(String t, int i) {
    int k = i;
    while (k < t.length() && ",]} \t\r\n".indexOf(t.charAt(k)) < 0) k++;
    String word = t.substring(i, k);
    if (!isNumber(word) && !word.equals("true") && !word.equals("false") && !word.equals("null")) {
      throw new IllegalArgumentException("no JSON value at " + i);
    }
    return k;
  }

  /** As JSON or Spark writes numbers. */
  static boolean isNumber(String word) {
    int i = word.startsWith("-") ? 1 : 0;
    if (i == word.length() || !digit(word.charAt(i))) return false;
    for (; i < word.length(); i++) {
      if (!digit(word.charAt(i)) && "+-.eE".indexOf(word.charAt(i)) < 0) return false;
    }
    return digit(word.charAt(word.length() - 1));
  }

  private static boolean digit(char c) {
    return c >= '0' && c <= '9';
  }

  /** The text of the string that stands in [from, end), its quotes included; so many characters of it at most. */
  static String unquoted(String t, int from, int end, int most) {
    int plain = from + 1;
    while (plain < end - 1 && plain - from <= most && t.charAt(plain) != '\\') plain++;
    if (plain == end - 1 || plain - from > most) return t.substring(from + 1, plain);
    StringBuilder out = new StringBuilder(Math.min(end - from, most)).append(t, from + 1, plain);
    for (int i = plain; i < end - 1 && out.length() < most; i++) {
      char c = t.charAt(i);
      if (c != '\\') {
        out.append(c);
        continue;
      }
      char e = t.charAt(++i);
      int named = "bfnrt".indexOf(e);
      if (e == 'u') {
        out.append((char) Integer.parseInt(t.substring(i + 1, i + 5), 16));
        i += 4;
      } else {
        out.append(named < 0 ? e : "\b\f\n\r\t".charAt(named));
      }
    }
    return out.toString();
  }

  /** A string as Jackson writes it. */
  static StringBuilder quote(StringBuilder out, String text) {
    out.append('"');
    for (int i = 0; i < text.length(); i++) {
      char c = text.charAt(i);
      int named = "\b\f\n\r\t".indexOf(c);
      if (c == '"' || c == '\\') out.append('\\').append(c);
      else if (named >= 0) out.append('\\').append("bfnrt".charAt(named));
      else if (c < ' ') out.append(String.format("\\u%04X", (int) c));
      else out.append(c);
    }
    return out.append('"');
  }
}
