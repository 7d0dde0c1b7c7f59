// Unfit: the one line that tells that this Spark does not have what the listener needs. It must name it and both versions.
package io.stoker.spark;

final class Unfit {
  private Unfit() {}

  static String text(String sparkVersion, Throwable missing) {
    return "off: it does not fit Spark " + sparkVersion + ", which lacks " + Log.brief(missing)
        + "; the application is not affected. A newer listener may fit.";
  }
}
