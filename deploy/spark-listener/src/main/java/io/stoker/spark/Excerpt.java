// Excerpt: what of a long text counts: of a failure its beginning and its end, or the causes of a stack trace without their frames;
// of a description the names of a stream and its run. What an excerpt of an excerpt is must be the excerpt itself: a text is shortened where it is taken and again where it
// is written. It must never begin or end within a word, which may be a part of a secret that nobody knows by it.
package io.stoker.spark;

import java.util.regex.Matcher;
import java.util.regex.Pattern;

final class Excerpt {
  private static final String UUID = " = \\p{XDigit}{8}(-\\p{XDigit}{4}){3}-\\p{XDigit}{12}$";
  private static final Pattern QUERY = Pattern.compile("^id" + UUID, Pattern.MULTILINE);
  private static final Pattern RUN = Pattern.compile("^runId" + UUID, Pattern.MULTILINE);
  private static final String CAUSE = "Caused by: ";
  /** In place of frames, as Java prints those that it leaves out. */
  private static final String FRAMES = "\t...";

  private Excerpt() {}

  /** At most so many characters: three quarters from the beginning, the rest whole lines at the end. */
  static String ends(String text, int most) {
    if (text.length() <= most) return text;
    int from = text.indexOf('\n', text.length() - most / 4);
    String end = from < 0 ? "" : text.substring(from);
    int to = most - most / 4;
    while (to > 0 && !Character.isWhitespace(text.charAt(to))) to--;
    return text.substring(0, to > 0 ? to : most - most / 4 - 1) + end;
  }

  /** From the first cause on. */
  static String causes(String stack, int most) {
    StringBuilder out = new StringBuilder();
    boolean frames = true;
    for (int at = first(stack); at >= 0 && at < stack.length();) {
      int end = stack.indexOf('\n', at);
      end = end < 0 ? stack.length() : end;
      boolean frame = stack.charAt(at) == '\t';
      if (!frame || !frames) out.append(frame ? FRAMES : stack.substring(at, end)).append('\n');
      frames = frame;
      at = end + 1;
    }
    return ends(out.toString(), most);
  }

  /** Spark describes a stream's batch in lines: its name, which is the user's, "id = UUID", "runId = UUID", "batch = 7". */
  static String stream(String description) {
    Matcher query = QUERY.matcher(description), run = RUN.matcher(description);
    return query.find() && run.find() ? query.group() + "\n" + run.group() : "";
  }

  private static int first(String stack) {
    if (stack.startsWith(CAUSE)) return 0;
    int at = stack.indexOf("\n" + CAUSE);
    return at < 0 ? -1 : at + 1;
  }
}
