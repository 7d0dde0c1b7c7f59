// Secrets: takes secrets out of a text before it leaves the driver: passwords in URLs, values behind keys that name a secret,
// tokens of known shapes, keys in PEM, long words without any order in them. By the words that the agent knows (EventTable); it
// hides rather too much than too little, and the agent looks again. Scrubbed text scrubbed again is the same text; time is linear
// in it.
package io.stoker.spark;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;

final class Secrets {
  static final String MARK = "[hidden]";
  private static final int NAME_MOST = 64;
  private static final int URL_MOST = 2048;
  private static final int RANDOM_LEAST = 32;
  private static final int NEAR_MOST = 64;
  private static final int PASSES_MOST = 4;
  private static final List<String> ORACLE = Arrays.asList("sqlplus ", "thin:", "oci:", "oci8:");

  /** How sure a key is: STRONG, TOKEN, FAINT, LOGIN, SCHEME, with WHOLE and SAID, as the agent prints it. */
  private final Map<String, String> keys = new HashMap<>();
  private final List<String> nameWords = new ArrayList<>();
  private final Set<String> tails = new HashSet<>();
  private final Set<String> none = new HashSet<>();
  private final Set<String> plain = new HashSet<>();
  private final Set<String> loginSchemes = new HashSet<>();
  private final Map<Character, List<String[]>> shapes = new HashMap<>();
  private final boolean[] lastLetters = new boolean[128];
  private int longestKey;

  Secrets(EventTable table) {
    for (String row : table.words("secret")) {
      String word = row.substring(0, row.indexOf(' '));
      keys.put(word, row.substring(word.length() + 1, row.indexOf(',')));
      longestKey = Math.max(longestKey, word.length());
      if (row.endsWith("ALL_NAMES") || row.endsWith("PROPERTIES")) nameWords.add(word);
    }
    tails.addAll(table.words("tail"));
    for (Set<String> words : Arrays.asList(keys.keySet(), tails)) {
      for (String word : words) {
        lastLetters[word.charAt(word.length() - 1)] = true;
        lastLetters[Character.toUpperCase(word.charAt(word.length() - 1))] = true;
      }
    }
    plain.addAll(table.words("plain"));
    none.addAll(table.words("none"));
    none.addAll(table.words("type"));
    loginSchemes.addAll(table.words("login"));
    for (String row : table.words("shape")) {
      String[] shape = row.split(" ", 2);
      shapes.computeIfAbsent(shape[0].charAt(0), first -> new ArrayList<>()).add(shape);
    }
  }

  /** By its name alone, a property's value must not be shown. */
  boolean inName(String name) {
    String letters = letters(name, 0, name.length());
    return nameWords.stream().anyMatch(letters::contains);
  }

  String hide(String text) {
    String now = text;
    for (int pass = 0; pass < PASSES_MOST; pass++) {
      String next = once(now);
      if (next.equals(now)) return now;
      now = next;
    }
    return MARK; // a mark beside what was left may make another rule see a secret; this text will not come to rest
  }

  private String once(String text) {
    StringBuilder out = null;
    int from = 0;
    for (int i = 0; i < text.length();) {
      int[] found = at(text, i);
      if (found == null || found[1] <= found[0] || text.startsWith(MARK, found[0])) {
        i++;
        continue;
      }
      out = out == null ? new StringBuilder(text.length()) : out;
      out.append(text, from, found[0]).append(MARK);
      i = from = found[1];
    }
    return out == null ? text : out.append(text, from, text.length()).toString();
  }

  /** The secret that is told of at i, as its two ends, none of it before i; null if there is none. */
  private int[] at(String t, int i) {
    char c = t.charAt(i);
    boolean first = isAlnum(c) && (i == 0 || !isAlnum(t.charAt(i - 1)));
    if (first) return ofShape(t, i);
    if (c == ':' && t.startsWith("//", i + 1)) {
      int[] url = inUrl(t, i);
      if (url != null) return url;
    }
    if (c == '=' || c == ':') {
      int[] value = behindKey(t, i);
      if (value != null) return value;
    }
    if (c == '-') return t.startsWith("-----BEGIN ", i) ? new int[] {i, pemEnd(t, i)} : behindLetter(t, i);
    return i > 0 && !isAlnum(c) && lastLetters[t.charAt(i - 1) & 0x7f] ? behindWord(t, i) : null;
  }

  // --- URLs ---

  /** scheme://user:password@: all before the last @ of what may be the URL's authority. */
  private int[] inUrl(String t, int colon) {
    int from = colon + 3;
    int end = from;
    int at = -1;
    while (end < t.length() && end - from < URL_MOST && " \t\r\n\"`<>".indexOf(t.charAt(end)) < 0) {
      if (t.charAt(end) == '@') at = end;
      if (t.charAt(end) == '?' && at >= 0) break;
      end++;
    }
    int start = colon;
    while (start > 0 && (isAlnum(t.charAt(start - 1)) || "+.-".indexOf(t.charAt(start - 1)) >= 0)) start--;
    boolean name = loginSchemes.contains(t.substring(start, colon).toLowerCase(Locale.ROOT));
    boolean bare = at >= 0 && t.substring(from, at).indexOf(':') < 0;
    return at <= from || (name && bare) ? null : new int[] {from, at};
  }

  // --- keys and their values ---

  /** At a joint: what stands behind it, if the name before it is that of a secret. */
  private int[] behindKey(String t, int joint) {
    int end = joint;
    while (end > 0 && "\"'`\\ ".indexOf(t.charAt(end - 1)) >= 0 && joint - end < 4) end--;
    String how = strength(t, end);
    boolean flag = flagBefore(t, end);
    int value = joint + 1;
    while (value < t.length() && " =:>".indexOf(t.charAt(value)) >= 0 && value - joint < 4) value++;
    if (how == null || value >= t.length() || t.startsWith("-----BEGIN ", value)) return null;
    int[] span = value(t, value);
    String word = t.substring(span[0], span[1]);
    if (isNone(word)) return null;
    if (how.startsWith("LOGIN")) return flag && word.indexOf(':') > 0 ? span : null;
    if (how.startsWith("SCHEME")) return new int[] {span[0], lineEnd(t, span[0])};
    boolean said = t.charAt(joint) == ':' && (plain.contains(word.toLowerCase(Locale.ROOT)) || how.startsWith("TOKEN"));
    if (said && !hasDigits(word, 1) && word.length() < 20) return null;
    if (how.startsWith("FAINT") && !(t.charAt(joint) == '=' && hasDigits(word, 2) && word.length() >= 12)) return null;
    return how.startsWith("TOKEN") && word.indexOf('(') >= 0 ? null : span;
  }

  /** At the end of a word: --password x, password 'x', Bearer x, and whatever word of letters and digits stands near it. */
  private int[] behindWord(String t, int end) {
    String how = strength(t, end);
    if (how == null || how.startsWith("FAINT")) how = strengthOfWords(t, end);
    if (how == null) return null;
    if (t.charAt(end) == ' ' && end + 1 < t.length()) {
      int[] span = value(t, end + 1);
      String word = t.substring(span[0], span[1]);
      boolean none = isNone(word) || word.startsWith("-");
      if (how.startsWith("SCHEME")) {
        return !none && word.length() >= 6 && (hasDigits(word, 1) || word.length() >= 20) ? span : null;
      }
      boolean flag = flagBefore(t, end);
      if (how.startsWith("LOGIN")) return flag && word.indexOf(':') > 0 ? span : null;
      if (!none && (flag || ("'\"".indexOf(t.charAt(end + 1)) >= 0 && how.contains("SAID")))) return span;
    }
    return how.startsWith("STRONG") || how.startsWith("TOKEN") ? near(t, end) : null;
  }

  /** The first word not far behind that a person would call a password: letters and digits in one. */
  private int[] near(String t, int end) {
    for (int i = end; i < t.length() && i - end < NEAR_MOST;) {
      int last = wordEnd(t, i, "-_");
      if (t.startsWith(MARK, i) || t.charAt(i) == '\n') return null;
      if (last - i >= 6 && mixed(t.substring(i, last))) {
        while (last < t.length() && t.charAt(last) > ' ' && "\"'`<>,;&)]}".indexOf(t.charAt(last)) < 0) last++;
        return new int[] {i, last};
      }
      i = Math.max(last, i + 1);
    }
    return null;
  }

  /** -u user:password, -p password, -ppassword. */
  private int[] behindLetter(String t, int dash) {
    if (dash == 0 || t.charAt(dash - 1) > ' ' || dash + 3 >= t.length()) return null;
    char letter = t.charAt(dash + 1);
    int from = t.charAt(dash + 2) == ' ' ? dash + 3 : dash + 2;
    int[] span = value(t, from);
    String word = t.substring(span[0], span[1]);
    if (letter == 'u' && word.indexOf(':') > 0 && from == dash + 3 && word.indexOf("//") < 0) return span;
    return letter == 'p' && mixed(word) ? span : null;
  }

  private static boolean flagBefore(String t, int end) {
    int i = end;
    while (i > 0 && (isAlnum(t.charAt(i - 1)) || "-_.".indexOf(t.charAt(i - 1)) >= 0)) i--;
    return t.startsWith("--", i) || (i > 1 && t.startsWith("--", i - 2));
  }

  /** How sure the name that ends here is that of a secret; null if it is not. */
  private String strength(String t, int end) {
    int from = end;
    while (from > 0 && end - from < NAME_MOST && (isAlnum(t.charAt(from - 1)) || "_-.".indexOf(t.charAt(from - 1)) >= 0)) from--;
    String name = letters(t, from, end);
    for (String tail : tails) {
      if (name.length() > tail.length() && name.endsWith(tail)) {
        String shorter = name.substring(0, name.length() - tail.length());
        if (longest(shorter) != null) name = shorter;
      }
    }
    String word = longest(name);
    if (word == null) return null;
    String how = keys.get(word);
    return how.contains("WHOLE") && name.length() > word.length() && !begins(t, from, end, word.length()) ? null : how;
  }

  /** The same of the last words together: API key, identified by. */
  private String strengthOfWords(String t, int end) {
    int from = end;
    for (int words = 0; from > 0 && end - from < NAME_MOST && words < 3; from--) {
      if (!isAlnum(t.charAt(from - 1))) words++;
      if (words == 3) break;
    }
    String word = longest(letters(t, from, end));
    return word == null || keys.get(word).contains("WHOLE") ? null : keys.get(word);
  }

  private String longest(String name) {
    for (int length = Math.min(longestKey, name.length()); length > 1; length--) {
      String word = name.substring(name.length() - length);
      if (keys.containsKey(word)) return word;
    }
    return null;
  }

  /** Whether the last so many letters begin where a word begins: db_pass, dbPass, not bypass. */
  private static boolean begins(String t, int from, int end, int letters) {
    int i = end;
    for (int left = letters; i > from && left > 0; i--) left -= isAlnum(t.charAt(i - 1)) ? 1 : 0;
    return i == from || !isAlnum(t.charAt(i - 1)) || (Character.isUpperCase(t.charAt(i)) && Character.isLowerCase(t.charAt(i - 1)));
  }

  /** A value that may be in quotes, which may be escaped. */
  private static int[] value(String t, int from) {
    int start = from;
    while (start < t.length() && t.charAt(start) == '\\') start++;
    if (start + 1 < t.length() && "bru".indexOf(t.charAt(start)) >= 0 && "\"'".indexOf(t.charAt(start + 1)) >= 0) start++; // Python's
    while (start + 2 < t.length() && "\"'".indexOf(t.charAt(start)) >= 0 && t.charAt(start + 1) == t.charAt(start)
        && t.charAt(start + 2) > ' ' && ",;)]}&".indexOf(t.charAt(start + 2)) < 0) start++;
    char quote = start < t.length() ? t.charAt(start) : ' ';
    if ("\"'`".indexOf(quote) >= 0) {
      int end = start + 1;
      while (end < t.length() && t.charAt(end) != quote && t.charAt(end) != '\n') end++;
      int close = end;
      while (close > start + 1 && t.charAt(close - 1) == '\\') close--;
      return new int[] {start + 1, close};
    }
    int end = start;
    while (end < t.length() && !isValueEnd(t, end)) end++;
    return new int[] {start, end};
  }

  private static boolean isValueEnd(String t, int i) {
    char c = t.charAt(i);
    boolean last = i + 1 == t.length() || " \t\r\n,;".indexOf(t.charAt(i + 1)) >= 0;
    return c <= ' ' || "&;\"'`<>".indexOf(c) >= 0 || (last && ",)]}".indexOf(c) >= 0);
  }

  private static int lineEnd(String t, int from) {
    int end = from;
    while (end < t.length() && "\r\n\"',;".indexOf(t.charAt(end)) < 0) end++;
    return end;
  }

  /** It says that there is none, stands for one, or was hidden before. */
  private boolean isNone(String word) {
    String lower = word.toLowerCase(Locale.ROOT);
    int end = wordEnd(lower, 0, "");
    if (end < lower.length() && ",>)(<".indexOf(lower.charAt(end)) >= 0 && none.contains(lower.substring(0, end))) return true;
    return word.isEmpty() || word.startsWith(MARK) || word.startsWith("***") || word.startsWith("${") || word.startsWith("{{")
        || none.contains(lower);
  }

  // --- words that are secrets by themselves ---

  private int[] ofShape(String t, int i) {
    int[] login = ofOracle(t, i);
    if (login != null) return login;
    for (String[] shape : shapes.getOrDefault(t.charAt(i), Collections.emptyList())) {
      if (!t.startsWith(shape[0], i)) continue;
      int from = i + shape[0].length();
      int end = wordEnd(t, from, ".+/=~:-_");
      int least = Integer.parseInt(shape[1].split(" ")[0]);
      if (end - from >= least && (!shape[1].contains("MIXED") || mixed(t.substring(from, end)))) return new int[] {i, end};
    }
    int end = wordEnd(t, i, "+/-_");
    return end - i >= RANDOM_LEAST && isRandom(t.substring(i, end)) ? new int[] {i, end} : null;
  }

  /** user/password@, as Oracle's drivers and tools take it. */
  private static int[] ofOracle(String t, int i) {
    if (ORACLE.stream().noneMatch(before -> t.startsWith(before, i - before.length()))) return null;
    int end = i;
    int slash = -1;
    int at = -1;
    for (; end < t.length() && end - i < URL_MOST && " \t\r\n\"'`<>".indexOf(t.charAt(end)) < 0; end++) {
      if (t.charAt(end) == '/' && slash < 0) slash = end;
      if (t.charAt(end) == '@') at = end;
    }
    return slash > i && slash + 1 < at ? new int[] {i, at} : null;
  }

  private static int wordEnd(String t, int from, String signs) {
    int end = from;
    while (end < t.length() && (isAlnum(t.charAt(end)) || signs.indexOf(t.charAt(end)) >= 0)) end++;
    return end;
  }

  /** Small letters, capitals and digits in so short stretches as no name or path has them; or hexadecimal longer than a digest. */
  private static boolean isRandom(String word) {
    int lower = 0;
    int upper = 0;
    int digits = 0;
    int stretches = 0;
    char before = ' ';
    boolean hex = true;
    for (char c : word.toCharArray()) {
      if (Character.isDigit(c)) digits++;
      else if (c >= 'a' && c <= 'z') lower++;
      else if (c >= 'A' && c <= 'Z') upper++;
      if (c >= 'a' && c <= 'z' && !(before >= 'a' && before <= 'z')) stretches++;
      hex = hex && Character.digit(c, 16) >= 0;
      before = c;
    }
    int other = word.length() - lower - upper - digits;
    if (hex) return word.length() > 64;
    return lower > 0 && upper > 0 && digits > 0 && lower * 10 <= stretches * 26 && other * 8 <= word.length();
  }

  private static int pemEnd(String t, int i) {
    int last = t.indexOf("-----END ", i);
    if (last < 0) return t.length();
    int close = t.indexOf("-----", last + 9);
    return close < 0 ? t.length() : close + 5;
  }

  // --- letters ---

  private static boolean mixed(String word) {
    return word.length() >= 6 && hasDigits(word, 1) && word.chars().anyMatch(Character::isLetter);
  }

  private static boolean hasDigits(String word, int least) {
    return word.chars().filter(c -> c >= '0' && c <= '9').count() >= least;
  }

  private static boolean isAlnum(char c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
  }

  private static String letters(String t, int from, int end) {
    StringBuilder out = new StringBuilder(end - from);
    for (int i = from; i < end; i++) {
      char c = t.charAt(i);
      if (isAlnum(c)) out.append(c >= 'A' && c <= 'Z' ? (char) (c | 0x20) : c);
    }
    return out.toString();
  }
}
